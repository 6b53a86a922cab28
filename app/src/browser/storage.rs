//! Small texts that outlive the page. A browser may forbid storage altogether, so nothing here can fail: what cannot be
//! kept is forgotten.

use leptos::prelude::window;
use web_sys::Storage;

/// How long a text is kept.
#[derive(Clone, Copy)]
pub enum Keep {
    /// Until the reader clears the browser's data.
    Always,
    /// As long as the tab is open.
    Session,
}

/// The text kept under this name.
pub fn read(keep: Keep, name: &str) -> Option<String> {
    storage(keep)?.get_item(name).ok()?
}

/// Keeps the text, or forgets the name when it is empty.
pub fn write(keep: Keep, name: &str, text: &str) {
    let Some(storage) = storage(keep) else { return };
    // A full or forbidden storage costs a convenience, nothing else.
    _ = if text.is_empty() {
        storage.remove_item(name)
    } else {
        storage.set_item(name, text)
    };
}

fn storage(keep: Keep) -> Option<Storage> {
    match keep {
        Keep::Always => window().local_storage(),
        Keep::Session => window().session_storage(),
    }
    .ok()?
}
