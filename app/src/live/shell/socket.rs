use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{CloseEvent, MessageEvent, WebSocket, window};

use super::Callback;
use crate::event::{ClientCommand, SUBPROTOCOL};
use crate::json;
use crate::live::line::LineEvent;
use crate::live::machine::Input;

/// "Abnormal closure" (RFC 6455, 7.4.1).
const ABNORMAL: u16 = 1006;

/// A socket that is closed when it is dropped; nothing is heard of it afterwards.
pub(super) struct Socket {
    socket: WebSocket,
    _listeners: [EventListener; 3],
}

impl Socket {
    /// Opens a socket that tells `callback` what happens to it.
    pub fn open(callback: &impl Callback) -> Option<Self> {
        let Some(socket) = url().and_then(|url| WebSocket::new_with_str(&url, SUBPROTOCOL).ok())
        else {
            callback.line_event(LineEvent::Closed(ABNORMAL));
            return None;
        };
        let (opened, heard, closed) = (callback.clone(), callback.clone(), callback.clone());
        let listeners = [
            EventListener::new(&socket, "open", move |_| {
                opened.line_event(LineEvent::Opened);
            }),
            EventListener::new(&socket, "message", move |event| {
                let text = event
                    .dyn_ref::<MessageEvent>()
                    .and_then(|it| it.data().as_string());
                // Frames of a later version are no error.
                let event = text.and_then(|text| json::read(&text));
                heard.take(Input::Frame(event));
            }),
            EventListener::new(&socket, "close", move |event| {
                let code = event
                    .dyn_ref::<CloseEvent>()
                    .map_or(ABNORMAL, CloseEvent::code);
                closed.line_event(LineEvent::Closed(code));
            }),
        ];
        Some(Self {
            socket,
            _listeners: listeners,
        })
    }

    /// Sends a command. One that cannot be sent is lost with the socket, whose closing is told.
    pub fn tell(&self, command: &ClientCommand) {
        if let Some(frame) = json::write(command) {
            let _ = self.socket.send_with_str(&frame);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Fails on closed ones only.
        let _ = self.socket.close();
    }
}

/// `ws:` for `http:`, `wss:` for `https:`; not every browser takes a relative address here.
fn url() -> Option<String> {
    let origin = window()?.location().origin().ok()?;
    Some(format!("ws{}/api/socket", origin.strip_prefix("http")?))
}
