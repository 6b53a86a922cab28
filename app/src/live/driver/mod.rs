//! The input and output of the state machine: sockets, HTTP calls, timers and the browser's events.

mod browser;
mod socket;
mod unsent;

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use leptos::prelude::{GetUntracked, ReadUntracked, RwSignal, Set};
use leptos::task::spawn_local;

use self::socket::Socket;
use self::unsent::Unsent;
use super::api;
use super::connection::ConnectionEvent;
use super::effect::{Effect, Timer};
use super::failure::ApiFailure;
use super::machine::{Input, Machine};
use super::message_list::MessageList;
use super::view::{Connection, Delivery, ListedMessage, OlderMessages, Presence, Ripple, Segment};
use crate::browser::{random, storage};
use crate::model::{
    AuthorName, AuthorTag, ClientMessageId, LogPage, MessageText, NewMessage, Point, Seq, UploadId,
    UploadPage, Viewer,
};

/// Opens the socket for the image page that is about to be hydrated: a phone needs as long for that as for the
/// handshake.
pub fn connect_early() {
    Socket::open_early();
}

/// The signals that the driver keeps up to date.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub messages: MessageList,
    pub older: RwSignal<OlderMessages>,
    pub connection: RwSignal<Connection>,
    pub ripples: RwSignal<Vec<Ripple>>,
    pub segments: RwSignal<Vec<Segment>>,
    pub presence: RwSignal<Option<Presence>>,
    /// This browser's tag on the upload.
    pub author: RwSignal<Option<AuthorTag>>,
}

/// A running conversation; dropping it closes the socket and stops the timers.
pub(super) struct Driver(Rc<Inner>);

struct Inner {
    upload: UploadId,
    /// This browser's tag on the upload.
    author: AuthorTag,
    view: View,
    machine: RefCell<Machine>,
    socket: RefCell<Option<Socket>>,
    timers: RefCell<[Option<Timeout>; Timer::COUNT]>,
    listeners: RefCell<Vec<EventListener>>,
    unsent: RefCell<Unsent>,
}

impl Driver {
    /// Keeps the view up to date; connects when its page is entered.
    pub fn new(page: UploadPage, view: View) -> Self {
        let upload = page.upload.id;
        let author = storage::author_secret().tag(upload);
        view.author.set(Some(author));
        let alias = storage::alias();
        let me = Viewer {
            author: Some(author),
            name: (alias != AuthorName::default()).then_some(alias),
        };
        let mut machine = Machine::new(upload, page.page, random::name(), me);
        let (unsent, messages) = Unsent::read(page.upload.short_id);
        machine.restore(messages.into_iter().map(|it| new_entry(it, author)));
        // The first view does not know which messages are this browser's.
        view.messages.refresh(machine.listed().1);
        Self(Rc::new(Inner {
            upload,
            author,
            view,
            machine: RefCell::new(machine),
            socket: RefCell::default(),
            timers: RefCell::default(),
            listeners: RefCell::default(),
            unsent: RefCell::new(unsent),
        }))
    }

    /// Its page is shown, for the first time or again: connects.
    pub fn enter(&self) {
        let weak = Rc::downgrade(&self.0);
        let listeners = browser::listen(move |event| Inner::connection_event(&weak, event));
        *self.0.listeners.borrow_mut() = listeners;
        let visibility = if browser::is_visible() {
            ConnectionEvent::Visible
        } else {
            ConnectionEvent::Hidden
        };
        self.0.handle(Input::Connection(visibility));
        self.0.handle(Input::Connection(ConnectionEvent::Mounted));
    }

    /// Another page is shown: stops watching, and leaves it the socket.
    pub fn leave(&self) {
        self.0.listeners.take();
        self.0.handle(Input::Connection(ConnectionEvent::Unmounted));
    }

    /// Whether messages of this tab are not stored yet, or failed.
    pub fn has_unsent(&self) -> bool {
        self.0.machine.borrow().has_unsent()
    }

    /// Passes the state machine an input.
    pub fn handle(&self, input: Input) {
        self.0.handle(input);
    }

    /// Sends a message, with its place if it has one; false when too many are unsent.
    pub fn send(&self, author_name: AuthorName, content: MessageText, at: Option<Point>) -> bool {
        let message = NewMessage {
            author_name,
            content,
            client_message_id: random::name(),
            at,
            author: None,
        };
        let entry = new_entry(message, self.0.author);
        let accepted = self.0.machine.borrow_mut().send(entry);
        self.0.apply();
        accepted
    }

    /// Removes a message that was refused permanently, and returns it.
    pub fn withdraw(&self, key: &ClientMessageId) -> Option<ListedMessage> {
        let entry = self.0.machine.borrow_mut().withdraw(key);
        self.0.apply();
        entry
    }
}

impl Inner {
    /// For the browser's callbacks, which must not keep a dropped conversation alive.
    fn handle_weak(weak: &Weak<Self>, input: Input) {
        if let Some(inner) = weak.upgrade() {
            inner.handle(input);
        }
    }

    fn connection_event(weak: &Weak<Self>, event: ConnectionEvent) {
        Self::handle_weak(weak, Input::Connection(event));
    }

    fn handle(self: &Rc<Self>, input: Input) {
        self.machine.borrow_mut().handle(input, browser::now());
        self.apply();
    }

    /// Shows the changes and performs the effects of the last input.
    fn apply(self: &Rc<Self>) {
        self.show();
        let effects = self.machine.borrow_mut().take_effects();
        for effect in effects {
            self.perform(effect);
        }
    }

    fn show(&self) {
        let mut machine = self.machine.borrow_mut();
        let changes = machine.take_changes();
        if changes.restarted {
            self.view.messages.clear(machine.listed().0);
        }
        let mut leaving = changes.deletions_sent;
        leaving.extend(&changes.deleted);
        if !leaving.is_empty() {
            self.view.messages.leaving.set(leaving);
        }
        for seq in changes.deleted {
            self.view.messages.remove(seq);
        }
        if changes.entries {
            let (listed, unsent) = (machine.listed(), machine.unsent());
            self.view.messages.update(listed, unsent);
            self.unsent.borrow_mut().write(unsent);
        }
        if changes.deliveries {
            self.view.messages.refresh(machine.listed().1);
        }
        if changes.ripples {
            self.view.ripples.set(machine.ripples().to_vec());
            self.view.segments.set(machine.segments().to_vec());
        }
        if self.view.older.get_untracked() != machine.older() {
            self.view.older.set(machine.older());
        }
        if self.view.presence.read_untracked().as_ref() != machine.presence() {
            self.view.presence.set(machine.presence().cloned());
        }
        if self.view.connection.get_untracked() != machine.connection() {
            self.view.connection.set(machine.connection());
        }
    }

    fn perform(self: &Rc<Self>, effect: Effect) {
        let upload = self.upload;
        match effect {
            Effect::Connect => {
                // The old one is closed before the new one is opened.
                drop(self.socket.take());
                let weak = Rc::downgrade(self);
                let socket = Socket::open(move |input| Self::handle_weak(&weak, input));
                *self.socket.borrow_mut() = socket;
            }
            Effect::Disconnect => drop(self.socket.take()),
            Effect::Release => {
                if let Some(socket) = self.socket.take() {
                    socket.release();
                }
            }
            Effect::Send(command) => {
                if let Some(socket) = &*self.socket.borrow() {
                    socket.send(&command);
                }
            }
            Effect::FetchFrom(seq) => self.fetch(api::from(seq), Input::Fetched),
            Effect::FetchNewest => self.fetch(String::new(), Input::FetchedNewest),
            Effect::FetchUpTo(seq) => self.fetch(api::up_to(seq), Input::FetchedOlder),
            Effect::Post(message) => self.spawn(async move {
                let key = message.client_message_id.clone();
                Input::PostAnswered(key, api::post(upload, message).await)
            }),
            Effect::Delete(seq, id) => self.spawn(async move {
                Input::DeleteAnswered(seq, api::delete_message(upload, seq, id).await)
            }),
            Effect::Start(timer, millis) => self.start_timer(timer, millis),
            Effect::Stop(timer) => self.timers.borrow_mut()[timer as usize] = None,
        }
    }

    fn fetch(self: &Rc<Self>, query: String, input: fn(Result<LogPage, ApiFailure>) -> Input) {
        let upload = self.upload;
        self.spawn(async move { input(api::messages(upload, &query).await) });
    }

    fn spawn(self: &Rc<Self>, input: impl Future<Output = Input> + 'static) {
        let weak = Rc::downgrade(self);
        spawn_local(async move { Self::handle_weak(&weak, input.await) });
    }

    fn start_timer(self: &Rc<Self>, timer: Timer, millis: u32) {
        let weak = Rc::downgrade(self);
        let timeout = Timeout::new(millis, move || {
            Self::handle_weak(&weak, Input::Timer(timer));
        });
        self.timers.borrow_mut()[timer as usize] = Some(timeout);
    }
}

/// A message of this tab that is not stored yet.
fn new_entry(message: NewMessage, author: AuthorTag) -> ListedMessage {
    ListedMessage {
        key: message.client_message_id,
        seq: Seq::ZERO,
        author_name: message.author_name,
        content: message.content,
        created_at: browser::wall_clock(),
        author: Some(author),
        at: message.at,
        pin: None,
        mine: true,
        delivery: Delivery::Sending,
    }
}
