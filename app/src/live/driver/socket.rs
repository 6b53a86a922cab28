//! The tab's WebSocket. It may be opened before the page that uses it, and outlives that page, so that the next one can
//! go on with it.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::{CloseEvent, MessageEvent, WebSocket, window};

use crate::event::{ClientCommand, SUBPROTOCOL};
use crate::live::connection::ConnectionEvent;
use crate::live::machine::Input;

/// "Abnormal closure" (RFC 6455, 7.4.1).
const ABNORMAL_CLOSURE: u16 = 1006;
/// How long an unused socket is kept for the next page.
const KEEP_OPEN_MILLIS: u32 = 10_000;

thread_local! {
    /// A socket that no page uses, until a timeout closes it.
    static IDLE: RefCell<Option<(Socket, Timeout)>> = const { RefCell::new(None) };
}

/// Handles a socket's events.
type Handler = Rc<dyn Fn(Input)>;

/// A socket that is closed when it is dropped; its later events are ignored.
pub(super) struct Socket {
    inner: WebSocket,
    handler: Rc<RefCell<Handler>>,
    _events: [EventListener; 3],
}

impl Socket {
    /// The idle socket, or a new one. `handler` gets its events, `Opened` also when the socket is open already.
    pub fn open(handler: impl Fn(Input) + 'static) -> Option<Self> {
        let handler: Handler = Rc::new(handler);
        let idle = IDLE.take().map(|(socket, _)| socket);
        if let Some(socket) = idle.filter(Self::is_usable) {
            *socket.handler.borrow_mut() = Rc::clone(&handler);
            if socket.inner.ready_state() == WebSocket::OPEN {
                report(handler, ConnectionEvent::Opened);
            }
            return Some(socket);
        }
        let socket = Self::connect(Rc::clone(&handler));
        if socket.is_none() {
            report(handler, ConnectionEvent::Closed(ABNORMAL_CLOSURE));
        }
        socket
    }

    /// Opens a socket for the page that is about to be shown.
    pub fn open_early() {
        if let Some(socket) = Self::connect(Rc::new(|_| {})) {
            socket.release();
        }
    }

    fn connect(handler: Handler) -> Option<Self> {
        let socket = WebSocket::new_with_str(&url()?, SUBPROTOCOL).ok()?;
        let handler = Rc::new(RefCell::new(handler));
        let listen = |name, input: fn(&web_sys::Event) -> Input| {
            let handler = Rc::clone(&handler);
            EventListener::new(&socket, name, move |event| {
                // A copy: it may be replaced meanwhile.
                let handler = Rc::clone(&handler.borrow());
                handler(input(event));
            })
        };
        let events = [
            listen("open", |_| Input::Connection(ConnectionEvent::Opened)),
            listen("message", frame),
            listen("close", closed),
        ];
        Some(Self {
            inner: socket,
            handler,
            _events: events,
        })
    }

    /// Sends a command. When that fails, the socket is closing, and its `Closed` follows.
    pub fn send(&self, command: &ClientCommand) {
        if let Ok(frame) = serde_json::to_string(command) {
            _ = self.inner.send_with_str(&frame);
        }
    }

    /// Keeps the socket open for the next page, for a while.
    pub fn release(self) {
        if self.is_usable() {
            *self.handler.borrow_mut() = Rc::new(|_| {});
            let close = Timeout::new(KEEP_OPEN_MILLIS, || drop(IDLE.take()));
            IDLE.set(Some((self, close)));
        }
    }

    fn is_usable(&self) -> bool {
        let state = self.inner.ready_state();
        matches!(state, WebSocket::CONNECTING | WebSocket::OPEN)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Fails for closed sockets only.
        _ = self.inner.close();
    }
}

/// Reports an event later: the caller is still performing effects.
fn report(handler: Handler, event: ConnectionEvent) {
    leptos::task::spawn_local(async move { handler(Input::Connection(event)) });
}

fn frame(event: &web_sys::Event) -> Input {
    let text = event
        .dyn_ref::<MessageEvent>()
        .and_then(|event| event.data().as_string());
    // Frames of a later version are ignored.
    Input::Frame(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn closed(event: &web_sys::Event) -> Input {
    let code = event.dyn_ref::<CloseEvent>().map(CloseEvent::code);
    Input::Connection(ConnectionEvent::Closed(code.unwrap_or(ABNORMAL_CLOSURE)))
}

/// `ws:` for `http:`, `wss:` for `https:`; not every browser takes a relative address here.
fn url() -> Option<String> {
    let origin = window()?.location().origin().ok()?;
    Some(format!("ws{}/api/socket", origin.strip_prefix("http")?))
}
