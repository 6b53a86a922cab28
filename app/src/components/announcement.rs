//! Texts in live regions, which screen readers read when they appear.

use std::time::Duration;

use leptos::prelude::*;

use crate::browser::ScopedTimeout;
use crate::erased::{ErasedFor, erase};

/// A text that is read again when it is set again, also to the same. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Announcement(RwSignal<(u64, String)>);

impl Announcement {
    /// An empty one.
    pub fn new() -> Self {
        Self(RwSignal::new((0, String::new())))
    }

    /// Sets the text.
    pub fn set(self, text: String) {
        self.0.update(|(number, before)| {
            *number += 1;
            *before = text;
        });
    }

    /// Whether there is a text, tracked.
    pub fn is_set(self) -> bool {
        !self.0.read().1.is_empty()
    }

    /// The text, for a live region: a new element each time, because screen readers read what changes.
    pub fn view(self) -> AnyView {
        let all = move || {
            Some(self.0.get())
                .into_iter()
                .filter(|(_, text)| !text.is_empty())
        };
        erase(view! {
            <ErasedFor
                each=move || all().collect()
                key=|(number, _)| *number
                children=|(_, text)| view! { <span>{text}</span> }
            />
        })
    }
}

/// An announcement that goes by itself. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Note {
    text: Announcement,
    duration: Duration,
    timer: ScopedTimeout,
}

impl Note {
    /// An empty one, whose texts stay for so long.
    pub fn new(duration: Duration) -> Self {
        Self {
            text: Announcement::new(),
            duration,
            timer: ScopedTimeout::new(),
        }
    }

    /// Shows this, from now on for the whole time.
    pub fn show(self, text: String) {
        self.text.set(text);
        self.timer
            .start(self.duration, move || self.text.set(String::new()));
    }

    /// Whether there is a text, tracked.
    pub fn is_shown(self) -> bool {
        self.text.is_set()
    }

    /// The text, for a live region.
    pub fn view(self) -> AnyView {
        self.text.view()
    }
}
