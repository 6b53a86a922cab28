//! What a system and its watchers send each other.

use crate::load::{Script, Step};
use crate::ws;

/// Makes an event of the room's index and the text of its sequence number.
pub type Event = Box<dyn Fn(usize, &str) -> String>;

pub struct Protocol {
    /// What a socket sends until it watches the room of this index.
    pub script: Box<dyn Fn(usize) -> Script>,
    /// The text frame that publishes an event.
    pub event: Event,
    /// The HTTP request that does the same, where there is one.
    pub post: Option<Event>,
}

/// Stands for an upload where a system knows of none.
const UPLOAD: &str = "0123456789abcdef01234567";

impl Protocol {
    /// The path names the room, and every text frame goes to all of it. `event` makes one of an upload's id and the
    /// text of its sequence number.
    pub fn plain(event: fn(&str, &str) -> String) -> Self {
        Self {
            script: Box::new(|room| Script {
                request: ws::request(&format!("/{room}"), None),
                steps: Vec::new(),
                ready: "ready",
            }),
            event: Box::new(move |_, number| event(UPLOAD, number)),
            post: None,
        }
    }

    /// Packets of Engine.IO and Socket.IO as text frames: `0{…}` opens, `40` connects, `42[…]` is an event.
    pub fn socketio() -> Self {
        Self {
            script: Box::new(|room| Script {
                request: ws::request("/socket.io/?EIO=4&transport=websocket", None),
                steps: vec![
                    Step::new("0{", "40".to_owned()),
                    Step::new("40{", format!(r#"42["join","r{room}"]"#)),
                ],
                ready: r#"42["ready"]"#,
            }),
            event: Box::new(|room, number| {
                format!(r#"42["touch","r{room}",{}]"#, touched(UPLOAD, number))
            }),
            post: None,
        }
    }

    /// Centrifuge's JSON protocol.
    pub fn centrifuge() -> Self {
        let subscribe = |room| format!(r#"{{"id":2,"subscribe":{{"channel":"r{room}"}}}}"#);
        Self {
            script: Box::new(move |room: usize| Script {
                request: ws::request("/", None),
                steps: vec![
                    Step::new("", r#"{"id":1,"connect":{}}"#.to_owned()),
                    Step::new(r#""id":1"#, subscribe(room)),
                ],
                ready: r#""id":2"#,
            }),
            event: Box::new(|room, number| {
                let data = touched(UPLOAD, number);
                format!(r#"{{"id":3,"publish":{{"channel":"r{room}","data":{data}}}}}"#)
            }),
            post: None,
        }
    }
}

/// The text of an event as watchers get it, the same for all systems: what Tonesa makes of a touch.
pub fn touched(upload: &str, number: &str) -> String {
    format!(
        r#"{{"type":"touched","data":{{"uploadID":"{upload}","points":[{{"x":{number},"y":0.25,"tab":"tagoftab23"}}]}}}}"#
    )
}

/// The text of a message as watchers get it, as long as those that Tonesa makes of [`Protocol::post`].
pub fn posted(upload: &str, number: &str) -> String {
    let digits = number.rsplit('.').next().unwrap_or_default();
    format!(
        r#"{{"type":"messagePosted","data":{{"uploadID":"{upload}","message":{{"kind":"message","id":"{upload}","uploadID":"{upload}","seq":100000,"authorName":"Mira","content":"{number}","clientMessageID":"m{digits}","createdAt":"2026-11-24T12:00:01.456Z"}}}}}}"#
    )
}
