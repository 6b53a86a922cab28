//! The shell around the machine: sockets, fetches, timers and the browser's own events. It decides nothing.

mod browser;
mod socket;

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use leptos::prelude::{GetUntracked, RwSignal, Set};

use self::socket::Socket;
use super::effect::{Effect, Timer};
use super::line::LineEvent;
use super::machine::{Input, Machine};
use super::{Connection, Delivery, Entry, History, Ripple, api};
use crate::browser::spawn;
use crate::model::{AuthorName, ClientMessageId, MessageText, UploadId, UploadPage};

/// The signals that the shell keeps up to date.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub entries: RwSignal<Vec<Entry>>,
    pub history: RwSignal<History>,
    pub connection: RwSignal<Connection>,
    pub ripples: RwSignal<Vec<Ripple>>,
}

/// A running conversation; dropping it closes the socket and stops the timers.
pub(super) struct Shell(Rc<Inner>);

struct Inner {
    upload: UploadId,
    view: View,
    machine: RefCell<Machine>,
    socket: RefCell<Option<Socket>>,
    timers: RefCell<[Option<Timeout>; Timer::COUNT]>,
    listeners: RefCell<Vec<EventListener>>,
}

impl Shell {
    /// Connects and keeps the view up to date from now on.
    pub fn start(page: UploadPage, view: View) -> Self {
        let upload = page.upload.id;
        let inner = Rc::new(Inner {
            upload,
            view,
            machine: RefCell::new(Machine::new(upload, page.page, browser::random_name())),
            socket: RefCell::default(),
            timers: RefCell::default(),
            listeners: RefCell::default(),
        });
        let weak = Rc::downgrade(&inner);
        *inner.listeners.borrow_mut() = browser::listen(move |event| weak.line_event(event));
        inner.take(Input::KnowOwn(browser::recall_own(upload)));
        if !browser::is_visible() {
            inner.take(Input::Line(LineEvent::Hidden));
        }
        inner.take(Input::Line(LineEvent::Start));
        Self(inner)
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

/// What the browser's callbacks hold, so that they do not keep a closed conversation alive.
trait Callback: Clone + 'static {
    fn take(&self, input: Input);

    fn line_event(&self, event: LineEvent) {
        self.take(Input::Line(event));
    }
}

impl Callback for Weak<Inner> {
    fn take(&self, input: Input) {
        if let Some(inner) = self.upgrade() {
            inner.take(input);
        }
    }
}

impl Inner {
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
                *self.socket.borrow_mut() = Socket::open(&Rc::downgrade(self));
            }
            Effect::Disconnect => drop(self.socket.take()),
            Effect::Tell(command) => {
                if let Some(socket) = &*self.socket.borrow() {
                    socket.tell(&command);
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
            Effect::Remember(own) => browser::remember_own(upload, &own),
            Effect::Start(timer, millis) => self.start_timer(timer, millis),
            Effect::Stop(timer) => self.timers.borrow_mut()[timer as usize] = None,
        }
    }

    fn later(self: &Rc<Self>, input: impl Future<Output = Input> + 'static) {
        let weak = Rc::downgrade(self);
        spawn(async move { weak.take(input.await) });
    }

    fn start_timer(self: &Rc<Self>, timer: Timer, millis: u32) {
        let weak = Rc::downgrade(self);
        let timeout = Timeout::new(millis, move || weak.line_event(LineEvent::Timer(timer)));
        self.timers.borrow_mut()[timer as usize] = Some(timeout);
    }
}
