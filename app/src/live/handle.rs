use leptos::prelude::*;
use send_wrapper::SendWrapper;

use super::conversation::Conversation;
use super::driver::{Driver, View};
use super::machine::Input;
use super::{Connection, Entry, History, Ripple};
use crate::model::{AuthorName, ClientMessageId, MessageText, Point, UploadPage};

/// A live conversation as components see it: signals to show, and verbs. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// The messages, oldest first; at most as many as were loaded.
    pub entries: ReadSignal<Vec<Entry>>,
    /// Whether older ones can be loaded.
    pub history: ReadSignal<History>,
    /// The line to the server.
    pub connection: ReadSignal<Connection>,
    /// Taps that are being drawn: bounded, the oldest are dropped first.
    pub ripples: ReadSignal<Vec<Ripple>>,
    view: View,
    /// How far the reader has scrolled the messages, in CSS pixels; for the way back.
    pub scroll_top: StoredValue<i32>,
    /// What it starts with, until it is entered.
    page: StoredValue<Option<UploadPage>>,
    /// `None` on the server, and in the browser until it is entered.
    driver: StoredValue<Option<SendWrapper<Driver>>>,
}

impl Live {
    /// Shows what the server said so far, and nothing else before [`Live::enter`].
    pub(super) fn new(page: UploadPage) -> Self {
        let view = first_view(&page);
        Self {
            entries: view.entries.read_only(),
            history: view.history.read_only(),
            connection: view.connection.read_only(),
            ripples: view.ripples.read_only(),
            view,
            scroll_top: StoredValue::new(0),
            page: StoredValue::new(Some(page)),
            driver: StoredValue::new(None),
        }
    }

    /// Connects, now and whenever its page is shown again; in the browser only.
    pub fn enter(&self) {
        if let Some(page) = self.page.try_update_value(Option::take).flatten() {
            let driver = Driver::new(page, self.view);
            self.driver.set_value(Some(SendWrapper::new(driver)));
        }
        self.with_driver(Driver::enter);
    }

    /// Its page is no longer shown: what is unsent is still sent, and nothing else happens.
    pub fn leave(&self) {
        self.with_driver(Driver::leave);
    }

    /// Whether one's own messages are on their way, or failed.
    pub(super) fn has_unsent(&self) -> bool {
        self.with_driver(Driver::has_unsent).unwrap_or(false)
    }

    /// Shows the message as sending and posts it. False, and nothing is done, when too many are unsent already:
    /// the text is then best left where it was typed.
    pub fn send(&self, author_name: AuthorName, content: MessageText) -> bool {
        self.with_driver(|driver| driver.send(author_name, content))
            .unwrap_or(false)
    }

    /// Posts a failed message again under the same `clientMessageID`.
    pub fn retry(&self, key: &ClientMessageId) {
        self.with_driver(|driver| driver.take(Input::Retry(key.clone())));
    }

    /// Takes a failed message off the list and returns its text, so that it can be edited.
    pub fn withdraw(&self, key: &ClientMessageId) -> Option<MessageText> {
        self.with_driver(|driver| driver.withdraw(key)).flatten()
    }

    /// Draws a ripple at once and tells everyone; taps beyond what the server accepts are neither drawn nor sent.
    pub fn tap(&self, at: Point) {
        self.with_driver(|driver| driver.take(Input::Tap(at)));
    }

    /// A ripple has faded.
    pub fn finish_ripple(&self, id: u64) {
        self.with_driver(|driver| driver.take(Input::FinishRipple(id)));
    }

    /// Loads the messages before the oldest listed one.
    pub fn load_older(&self) {
        self.with_driver(|driver| driver.take(Input::LoadOlder));
    }

    fn with_driver<T>(&self, act: impl FnOnce(&Driver) -> T) -> Option<T> {
        self.driver
            .try_with_value(|driver| driver.as_deref().map(act))
            .flatten()
    }
}

/// What is shown first, on the server and in the browser alike.
fn first_view(page: &UploadPage) -> View {
    let conversation = Conversation::new(page.page.clone());
    let history = if conversation.has_older() {
        History::More
    } else {
        History::Complete
    };
    View {
        entries: RwSignal::new(conversation.listed().to_vec()),
        history: RwSignal::new(history),
        connection: RwSignal::new(Connection::Connecting),
        ripples: RwSignal::new(Vec::new()),
    }
}
