//! Panics of simulated code. Tokio catches those of tasks, and nothing else would tell of them.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// From now on the panics of a thread are recorded, beside being printed.
pub fn record() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            PANICS.with_borrow_mut(|panics| panics.push(panic.to_string()));
            print(panic);
        }));
    });
}

/// The panics of this thread since the last call.
pub fn take() -> Vec<String> {
    PANICS.take()
}
