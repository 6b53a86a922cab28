//! Thin shells around the browser's interfaces. On the server they compile and are never called, or answer "nothing".

pub mod calendar;
pub mod chosen;
pub mod clipboard;
pub mod clock;
pub mod letters;
pub mod storage;

use std::pin::Pin;

use leptos::prelude::*;

/// Runs in the browser, once the page is hydrated and whenever a signal that it reads has changed. One code for all:
/// each type of effect would bring the WASM a kilobyte of its own.
pub fn effect(run: impl FnMut() + 'static) {
    let run: Box<dyn FnMut()> = Box::new(run);
    Effect::new(run);
}

/// Runs the future in the browser. One code for all, as for [`effect`].
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    let future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(future);
    leptos::task::spawn_local(future);
}

/// Has the browser fetch what the next page will need, once it has nothing better to do.
pub fn prefetch(address: &str) {
    if let (Some(head), Ok(link)) = (document().head(), document().create_element("link")) {
        // These fail only for names that none may have.
        _ = link.set_attribute("rel", "prefetch");
        _ = link.set_attribute("href", address);
        _ = head.append_child(&link);
    }
}

/// Whether the browser has taken over the server's page. The first render must equal the server's, so whatever depends
/// on the reader's zone, storage or abilities waits for this.
#[derive(Clone, Copy)]
pub struct Hydrated(RwSignal<bool>);

impl Hydrated {
    /// False on the server and in the first render, true from then on.
    pub fn watch() -> Self {
        let hydrated = RwSignal::new(false);
        effect(move || hydrated.set(true));
        Self(hydrated)
    }

    /// Tracks the change.
    pub fn get(self) -> bool {
        self.0.get()
    }
}
