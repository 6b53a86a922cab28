use leptos::prelude::*;
use send_wrapper::SendWrapper;

use super::conversation::Conversation;
use super::driver::{Driver, View};
use super::machine::Input;
use super::message_list::MessageList;
use super::view::{Connection, ListedMessage, OlderMessages, Presence, Ripple, Segment};
use crate::model::{AuthorName, AuthorTag, ClientMessageId, MessageText, Point, Seq, UploadPage};

/// A live conversation as components see it: signals to show, and methods for what readers do. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// The messages.
    pub messages: MessageList,
    /// Whether older ones can be loaded.
    pub older: ReadSignal<OlderMessages>,
    /// The connection to the server.
    pub connection: ReadSignal<Connection>,
    /// The ripples and dots that are being drawn.
    pub ripples: ReadSignal<Vec<Ripple>>,
    /// The parts of lines that are being drawn.
    pub segments: ReadSignal<Vec<Segment>>,
    /// Who is here, once the server has said so.
    pub presence: ReadSignal<Option<Presence>>,
    /// This browser's tag on the upload; `None` on the server and in the first render.
    pub author: ReadSignal<Option<AuthorTag>>,
    /// How far the reader has scrolled the messages, in CSS pixels; for the way back.
    pub scroll_top: StoredValue<i32>,
    /// The page that it starts with, and its signals for the driver, until it is entered.
    start: StoredValue<Option<(UploadPage, View)>>,
    /// `None` on the server, and in the browser until it is entered.
    driver: StoredValue<Option<SendWrapper<Driver>>>,
}

impl Live {
    /// Shows this page's messages, and does nothing else before [`Live::enter`].
    pub(super) fn new(page: UploadPage) -> Self {
        let view = first_view(&page);
        Self {
            messages: view.messages,
            older: view.older.read_only(),
            connection: view.connection.read_only(),
            ripples: view.ripples.read_only(),
            segments: view.segments.read_only(),
            presence: view.presence.read_only(),
            author: view.author.read_only(),
            scroll_top: StoredValue::new(0),
            start: StoredValue::new(Some((page, view))),
            driver: StoredValue::new(None),
        }
    }

    /// Whether its page was shown before.
    pub fn was_entered(&self) -> bool {
        self.driver.with_value(Option::is_some)
    }

    /// Its page is shown, for the first time or again: connects. In the browser only.
    pub fn enter(&self) {
        if let Some((page, view)) = self.start.try_update_value(Option::take).flatten() {
            let driver = Driver::new(page, view);
            self.driver.set_value(Some(SendWrapper::new(driver)));
        }
        self.with_driver(Driver::enter);
    }

    /// Its page is no longer shown: unsent messages are still posted, nothing else happens.
    pub fn leave(&self) {
        self.with_driver(Driver::leave);
    }

    /// Whether messages of this tab are not stored yet, or failed.
    pub(super) fn has_unsent(&self) -> bool {
        self.with_driver(Driver::has_unsent).unwrap_or(false)
    }

    /// Shows the message as sending and posts it, with its place if it has one. False when too many are unsent: nothing
    /// is done.
    pub fn send(&self, author_name: AuthorName, content: MessageText, at: Option<Point>) -> bool {
        self.with_driver(|driver| driver.send(author_name, content, at))
            .unwrap_or(false)
    }

    /// Posts a failed message again, with the same `clientMessageID`.
    pub fn retry(&self, key: &ClientMessageId) {
        self.with_driver(|driver| driver.handle(Input::Retry(key.clone())));
    }

    /// Removes a message that was refused permanently, and returns it so that it can be edited.
    pub fn withdraw(&self, key: &ClientMessageId) -> Option<ListedMessage> {
        self.with_driver(|driver| driver.withdraw(key)).flatten()
    }

    /// Deletes a stored message, after the time in which that can be undone; at once if it has failed before.
    pub fn delete(&self, seq: Seq) {
        self.with_driver(|driver| driver.handle(Input::Delete(seq)));
    }

    /// Undoes that, if it is not too late.
    pub fn undo_delete(&self, seq: Seq) {
        self.with_driver(|driver| driver.handle(Input::UndoDelete(seq)));
    }

    /// Draws a ripple and sends the touch. Beyond the rate that the server accepts it does neither.
    pub fn touch(&self, at: Point) {
        self.with_driver(|driver| driver.handle(Input::Touch(at)));
    }

    /// Draws a line to this point and sends it, within the rate that the server accepts.
    pub fn draw_line(&self, at: Point) {
        self.with_driver(|driver| driver.handle(Input::DrawLine(at)));
    }

    /// Ends the line, if one is being drawn.
    pub fn end_line(&self) {
        self.with_driver(|driver| driver.handle(Input::EndLine));
    }

    /// The animation of a ripple, or of its dot, has ended.
    pub fn end_ripple(&self, id: u64) {
        self.with_driver(|driver| driver.handle(Input::EndRipple(id)));
    }

    /// A part of a line has faded.
    pub fn end_segment(&self, id: u64) {
        self.with_driver(|driver| driver.handle(Input::EndSegment(id)));
    }

    /// Touches, and shows others that the reader is here, under this alias.
    pub fn rename(&self, name: AuthorName) {
        self.with_driver(|driver| driver.handle(Input::Rename(name)));
    }

    /// Loads the messages before the oldest listed one.
    pub fn load_older(&self) {
        self.with_driver(|driver| driver.handle(Input::LoadOlder));
    }

    fn with_driver<T>(&self, call: impl FnOnce(&Driver) -> T) -> Option<T> {
        self.driver
            .try_with_value(|driver| driver.as_deref().map(call))
            .flatten()
    }
}

/// The first view, the same on the server and in the browser.
fn first_view(page: &UploadPage) -> View {
    let conversation = Conversation::new(page.page.clone(), None);
    let older = if conversation.has_older() {
        OlderMessages::More
    } else {
        OlderMessages::Complete
    };
    View {
        messages: MessageList::new(
            (conversation.first(), conversation.listed()),
            page.first.clone(),
        ),
        older: RwSignal::new(older),
        connection: RwSignal::new(Connection::Connecting),
        ripples: RwSignal::new(Vec::new()),
        segments: RwSignal::new(Vec::new()),
        presence: RwSignal::new(None),
        author: RwSignal::new(None),
    }
}
