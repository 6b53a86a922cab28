use std::time::Duration;

use leptos::prelude::*;

use super::wall_clock::until_midnight;
use crate::erased::effect;

/// How long after hydration the typeface is loaded: by then a page on a phone is live.
const TYPEFACE_DELAY: Duration = Duration::from_millis(300);

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
            set_root_class("hydrated");
            // The typeface has the browser lay out the page anew, for which the first frames of the socket would wait.
            set_timeout(|| set_root_class("hydrated typeface"), TYPEFACE_DELAY);
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

fn set_root_class(name: &str) {
    if let Some(root) = document().document_element() {
        root.set_class_name(name);
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
