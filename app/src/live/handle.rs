use leptos::prelude::*;
use send_wrapper::SendWrapper;

use super::conversation::Conversation;
use super::machine::Input;
use super::shell::{Shell, View};
use super::{Connection, Entry, History, Ripple};
use crate::browser::effect;
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
    /// `None` on the server, and in the browser until the page is hydrated.
    shell: StoredValue<Option<SendWrapper<Shell>>>,
}

impl Live {
    /// Starts with what the server rendered. On the server and before hydration it shows just that; in the browser
    /// it connects once the page is hydrated, and stays for as long as the page does.
    pub fn start(page: UploadPage) -> Self {
        let view = first_view(&page);
        let shell = StoredValue::new(None);
        let mut page = Some(page);
        // Effects run in the browser only, and after the first view is there.
        effect(move || {
            if let Some(page) = page.take() {
                shell.set_value(Some(SendWrapper::new(Shell::start(page, view))));
            }
        });
        Self {
            entries: view.entries.read_only(),
            history: view.history.read_only(),
            connection: view.connection.read_only(),
            ripples: view.ripples.read_only(),
            shell,
        }
    }

    /// Shows the message as sending and posts it. False, and nothing is done, when too many are unsent already:
    /// the text is then best left where it was typed.
    pub fn send(&self, author_name: AuthorName, content: MessageText) -> bool {
        self.with_shell(|shell| shell.send(author_name, content))
            .unwrap_or(false)
    }

    /// Posts a failed message again under the same `clientMessageID`.
    pub fn retry(&self, key: &ClientMessageId) {
        self.with_shell(|shell| shell.take(Input::Retry(key.clone())));
    }

    /// Takes a failed message off the list and returns its text, so that it can be edited.
    pub fn withdraw(&self, key: &ClientMessageId) -> Option<MessageText> {
        self.with_shell(|shell| shell.withdraw(key)).flatten()
    }

    /// Draws a ripple at once and tells everyone; taps beyond what the server accepts are neither drawn nor sent.
    pub fn tap(&self, at: Point) {
        self.with_shell(|shell| shell.take(Input::Tap(at)));
    }

    /// A ripple has faded.
    pub fn finish_ripple(&self, id: u64) {
        self.with_shell(|shell| shell.take(Input::FinishRipple(id)));
    }

    /// Loads the messages before the oldest listed one.
    pub fn load_older(&self) {
        self.with_shell(|shell| shell.take(Input::LoadOlder));
    }

    fn with_shell<T>(&self, act: impl FnOnce(&Shell) -> T) -> Option<T> {
        self.shell
            .try_with_value(|shell| shell.as_deref().map(act))
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
