use leptos::prelude::*;

use super::wall_clock::until_midnight;
use crate::erased::effect;

/// Whether the app is hydrated; provided in the context. The first render must equal the server's, so whatever depends
/// on the reader's time zone, storage or browser waits for it. It is set again at midnight, when other days are called
/// today and yesterday.
#[derive(Clone, Copy)]
pub struct Hydrated(RwSignal<bool>);

impl Hydrated {
    /// Provides it in the context: false on the server and in the first render, true from then on.
    pub fn provide() {
        let hydrated = RwSignal::new(false);
        provide_context(Self(hydrated));
        effect(move || {
            hydrated.set(true);
            follow_midnight(hydrated);
            // For the style sheet and for tests.
            if let Some(root) = document().document_element() {
                root.set_class_name("hydrated");
            }
        });
    }

    /// Returns it from the context.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Its value, tracked.
    pub fn get(self) -> bool {
        self.0.get()
    }

    /// Its value, untracked.
    pub fn get_untracked(self) -> bool {
        self.0.get_untracked()
    }
}

fn follow_midnight(hydrated: RwSignal<bool>) {
    let at_midnight = move || {
        // Unless the app is rendered anew, which has another signal.
        if hydrated.try_set(true).is_none() {
            follow_midnight(hydrated);
        }
    };
    set_timeout(at_midnight, until_midnight());
}
