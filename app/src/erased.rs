//! Closures without types of their own. Leptos compiles its code anew for each type of closure that it is given: some
//! hundred bytes of WASM for each value that is computed and each event that is handled.

/// What a view computes anew whenever a signal that it reads has changed.
pub fn derive<T>(compute: impl FnMut() -> T + Send + 'static) -> Box<dyn FnMut() -> T + Send> {
    Box::new(compute)
}

/// What is to be done on an event, for a view's `on:…:capture`: Leptos' code for other handlers is 2 kB larger, since it
/// prepares for delegating events, which is not asked for here. An element's handler so comes before those within it.
pub fn handler<E>(handle: impl FnMut(E) + 'static) -> Box<dyn FnMut(E)> {
    Box::new(handle)
}
