//! Closures without types of their own. Leptos compiles its code anew for each type of closure that it is given: some
//! hundred bytes of WASM for each signal that is derived and each event that is handled.

use leptos::prelude::*;

/// A signal that is computed whenever it is read.
pub fn derive<T>(compute: impl Fn() -> T + Send + Sync + 'static) -> Signal<T>
where
    T: Send + Sync + 'static,
{
    let compute: Box<dyn Fn() -> T + Send + Sync> = Box::new(compute);
    Signal::derive(compute)
}

/// What is to be done on an event, for a view's `on:`.
pub fn handler<E>(handle: impl FnMut(E) + 'static) -> Box<dyn FnMut(E)> {
    Box::new(handle)
}
