//! The tab's WebSocket. It outlives the page that opened it, so that the next page can go on with it.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::{CloseEvent, MessageEvent, WebSocket, window};

use super::Inner;
use crate::event::{ClientCommand, SUBPROTOCOL};
use crate::live::line::LineEvent;
use crate::live::machine::Input;

/// "Abnormal closure" (RFC 6455, 7.4.1).
const ABNORMAL: u16 = 1006;
/// How long a socket that no page uses is kept for the next one.
const IDLE_MILLIS: u32 = 10_000;

thread_local! {
    /// The socket that the page before left open.
    static IDLE: RefCell<Option<(Socket, Timeout)>> = const { RefCell::new(None) };
}

/// Who is told what happens to a socket.
type Listener = Rc<RefCell<Weak<Inner>>>;

/// A socket that is closed when it is dropped; nothing is heard of it afterwards.
pub(super) struct Socket {
    inner: WebSocket,
    listener: Listener,
    _events: [EventListener; 3],
}

impl Socket {
    /// The socket that the page before left open, or a new one. What happens to it is told to `inner`, also when it is
    /// open already.
    pub fn open(inner: &Rc<Inner>) -> Option<Self> {
        let idle = IDLE.take().map(|(socket, _)| socket);
        if let Some(socket) = idle.filter(Self::is_open) {
            *socket.listener.borrow_mut() = Rc::downgrade(inner);
            let inner = Rc::downgrade(inner);
            // Not at once: the caller is still carrying out what the machine asked for.
            leptos::task::spawn_local(async move { Inner::line_event(&inner, LineEvent::Opened) });
            return Some(socket);
        }
        let opened = url().and_then(|url| WebSocket::new_with_str(&url, SUBPROTOCOL).ok());
        let Some(socket) = opened else {
            let inner = Rc::downgrade(inner);
            leptos::task::spawn_local(async move {
                Inner::line_event(&inner, LineEvent::Closed(ABNORMAL));
            });
            return None;
        };
        let listener = Listener::default();
        *listener.borrow_mut() = Rc::downgrade(inner);
        let tell = |input: fn(&web_sys::Event) -> Input| {
            let listener = Rc::clone(&listener);
            move |event: &web_sys::Event| {
                // A copy, since the listener may be exchanged meanwhile.
                let inner = listener.borrow().clone();
                Inner::take_weak(&inner, input(event));
            }
        };
        let events = [
            EventListener::new(&socket, "open", tell(|_| Input::Line(LineEvent::Opened))),
            EventListener::new(&socket, "message", tell(frame)),
            EventListener::new(&socket, "close", tell(closed)),
        ];
        Some(Self {
            inner: socket,
            listener,
            _events: events,
        })
    }

    /// Sends a command. One that cannot be sent is lost with the socket, whose closing is told.
    pub fn send(&self, command: &ClientCommand) {
        if let Ok(frame) = serde_json::to_string(command) {
            _ = self.inner.send_with_str(&frame);
        }
    }

    /// Leaves the socket to the next page, for a while.
    pub fn release(self) {
        if self.is_open() {
            *self.listener.borrow_mut() = Weak::new();
            let close = Timeout::new(IDLE_MILLIS, || drop(IDLE.take()));
            IDLE.set(Some((self, close)));
        }
    }

    fn is_open(&self) -> bool {
        self.inner.ready_state() == WebSocket::OPEN
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Fails on closed ones only.
        _ = self.inner.close();
    }
}

fn frame(event: &web_sys::Event) -> Input {
    let text = event
        .dyn_ref::<MessageEvent>()
        .and_then(|event| event.data().as_string());
    // Frames of a later version are no error.
    Input::Frame(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn closed(event: &web_sys::Event) -> Input {
    let code = event.dyn_ref::<CloseEvent>().map(CloseEvent::code);
    Input::Line(LineEvent::Closed(code.unwrap_or(ABNORMAL)))
}

/// `ws:` for `http:`, `wss:` for `https:`; not every browser takes a relative address here.
fn url() -> Option<String> {
    let origin = window()?.location().origin().ok()?;
    Some(format!("ws{}/api/socket", origin.strip_prefix("http")?))
}
