//! Does the machine's input and output: sockets, fetches, timers and the browser's own events. It decides nothing.

mod browser;
mod socket;

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use leptos::prelude::{GetUntracked, RwSignal, Set};
use leptos::task::spawn_local;

use self::socket::Socket;
use super::effect::{Effect, Timer};
use super::line::LineEvent;
use super::machine::{Input, Machine};
use super::{Connection, Delivery, Entry, History, Ripple, api};
use crate::browser::storage;
use crate::model::{AuthorName, ClientMessageId, MessageText, UploadId, UploadPage};

/// The signals that the driver keeps up to date.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub entries: RwSignal<Vec<Entry>>,
    pub history: RwSignal<History>,
    pub connection: RwSignal<Connection>,
    pub ripples: RwSignal<Vec<Ripple>>,
}

/// A running conversation; dropping it closes the socket and stops the timers.
pub(super) struct Driver(Rc<Inner>);

struct Inner {
    upload: UploadId,
    view: View,
    machine: RefCell<Machine>,
    socket: RefCell<Option<Socket>>,
    timers: RefCell<[Option<Timeout>; Timer::COUNT]>,
    listeners: RefCell<Vec<EventListener>>,
}

impl Driver {
    /// Keeps the view up to date from now on; connects when its page is entered.
    pub fn new(page: UploadPage, view: View) -> Self {
        let upload = page.upload.id;
        let inner = Rc::new(Inner {
            upload,
            view,
            machine: RefCell::new(Machine::new(upload, page.page, browser::random_name())),
            socket: RefCell::default(),
            timers: RefCell::default(),
            listeners: RefCell::default(),
        });
        inner.take(Input::KnowOwn(storage::read_own(upload)));
        Self(inner)
    }

    /// Its page is shown, for the first time or again: connects.
    pub fn enter(&self) {
        let weak = Rc::downgrade(&self.0);
        let listeners = browser::listen(move |event| Inner::line_event(&weak, event));
        *self.0.listeners.borrow_mut() = listeners;
        let visibility = if browser::is_visible() {
            LineEvent::Shown
        } else {
            LineEvent::Hidden
        };
        self.0.take(Input::Line(visibility));
        self.0.take(Input::Line(LineEvent::Start));
    }

    /// Another page is shown: stops watching, and leaves the socket to it.
    pub fn leave(&self) {
        self.0.listeners.take();
        self.0.take(Input::Line(LineEvent::Unmounted));
    }

    /// Whether one's own messages are on their way, or failed.
    pub fn has_unsent(&self) -> bool {
        self.0.machine.borrow().has_unsent()
    }

    /// Gives the machine something to decide.
    pub fn take(&self, input: Input) {
        self.0.take(input);
    }

    /// Sends a message; false when too many are unsent.
    pub fn send(&self, author_name: AuthorName, content: MessageText) -> bool {
        let entry = Entry {
            key: browser::random_name(),
            author_name,
            content,
            created_at: browser::moment(),
            mine: true,
            delivery: Delivery::Sending,
        };
        let taken = self.0.machine.borrow_mut().send(entry);
        self.0.carry_out();
        taken
    }

    /// Takes a failed message off the list.
    pub fn withdraw(&self, key: &ClientMessageId) -> Option<MessageText> {
        let text = self.0.machine.borrow_mut().withdraw(key);
        self.0.carry_out();
        text
    }
}

impl Inner {
    /// For the browser's callbacks, which must not keep a closed conversation alive.
    fn take_weak(weak: &Weak<Self>, input: Input) {
        if let Some(inner) = weak.upgrade() {
            inner.take(input);
        }
    }

    fn line_event(weak: &Weak<Self>, event: LineEvent) {
        Self::take_weak(weak, Input::Line(event));
    }

    fn take(self: &Rc<Self>, input: Input) {
        self.machine.borrow_mut().handle(input, browser::now());
        self.carry_out();
    }

    fn carry_out(self: &Rc<Self>) {
        self.show();
        let effects = self.machine.borrow_mut().take_effects();
        for effect in effects {
            self.perform(effect);
        }
    }

    fn show(&self) {
        let mut machine = self.machine.borrow_mut();
        let (entries_changed, ripples_changed) = machine.take_changes();
        if entries_changed {
            self.view.entries.set(machine.entries());
        }
        if ripples_changed {
            self.view.ripples.set(machine.ripples().to_vec());
        }
        if self.view.history.get_untracked() != machine.history() {
            self.view.history.set(machine.history());
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
                *self.socket.borrow_mut() = Socket::open(self);
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
            Effect::FetchAfter(seq) => {
                self.later(async move { Input::Fetched(api::messages_after(upload, seq).await) });
            }
            Effect::FetchBefore(seq) => self
                .later(async move { Input::FetchedOlder(api::messages_before(upload, seq).await) }),
            Effect::Post(message) => self.later(async move {
                let key = message.client_message_id.clone();
                Input::Answered(key, api::post(upload, message).await)
            }),
            Effect::Remember(own) => storage::write_own(upload, &own),
            Effect::Start(timer, millis) => self.start_timer(timer, millis),
            Effect::Stop(timer) => self.timers.borrow_mut()[timer as usize] = None,
        }
    }

    fn later(self: &Rc<Self>, input: impl Future<Output = Input> + 'static) {
        let weak = Rc::downgrade(self);
        spawn_local(async move { Self::take_weak(&weak, input.await) });
    }

    fn start_timer(self: &Rc<Self>, timer: Timer, millis: u32) {
        let weak = Rc::downgrade(self);
        let timeout = Timeout::new(millis, move || {
            Self::line_event(&weak, LineEvent::Timer(timer));
        });
        self.timers.borrow_mut()[timer as usize] = Some(timeout);
    }
}
