//! Thin wrappers around the browser's interfaces that gloo does not have. On the server they compile and are never
//! called, or answer "nothing".

pub mod clipboard;
pub mod clock;
pub mod object_url;
pub mod storage;

use leptos::prelude::*;

/// Whether the app is hydrated. The first render must equal the server's, so whatever depends on the reader's zone,
/// storage or abilities waits for this. It stands in the context.
#[derive(Clone, Copy)]
pub struct Hydrated(RwSignal<bool>);

impl Hydrated {
    /// Provides it: false on the server and in the first render, true from then on.
    pub fn provide() {
        let hydrated = RwSignal::new(false);
        provide_context(Self(hydrated));
        Effect::new(move || {
            hydrated.set(true);
            // For the style sheet, and for whoever looks from outside.
            if let Some(root) = document().document_element() {
                root.set_class_name("hydrated");
            }
        });
    }

    /// From the context.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Tracks the change.
    pub fn get(self) -> bool {
        self.0.get()
    }

    /// Now.
    pub fn get_untracked(self) -> bool {
        self.0.get_untracked()
    }
}
