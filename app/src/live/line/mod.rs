//! The line to the server: when to connect, when to give up on a connection, and when to try again.

mod transitions;

use super::effect::{Effect, Now, Timer};
use crate::event::RefusalCode;
use crate::model::{Seq, UploadId, UploadRef};

/// After so many failures in a row the messages are fetched without a socket.
const POLL_AFTER_FAILURES: u32 = 3;
/// Polls are this far apart, give or take a third.
const POLL_MILLIS: u32 = 15_000;
/// The same while the server is there and only its live updates are not.
const DELAYED_POLL_MILLIS: u32 = 8_000;

/// What happens to the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEvent {
    /// The page is there, for the first time or again.
    Start,
    /// The socket is open.
    Opened,
    /// A frame came.
    Heard,
    /// The server follows the upload for this socket.
    Watched,
    /// It does not.
    Refused(RefusalCode),
    /// What others do arrives.
    Flows,
    /// The socket was closed, or could not be opened, with this code.
    Closed(u16),
    /// The browser says that there is a network.
    Online,
    /// … that there is none.
    Offline,
    /// The tab came into view.
    Shown,
    /// The tab went out of view.
    Hidden,
    /// The document is left, perhaps to be kept for the way back.
    Left,
    /// The document is shown again as it was left.
    Restored,
    /// The app shows another page.
    Unmounted,
    /// A timer ran out.
    Timer(Timer),
}

/// What the line looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The first connection is being made.
    Connecting,
    /// What is posted from now on arrives.
    Live,
    /// The server is there, but what others do does not arrive by itself for now.
    Delayed,
    /// Lost, and being remade.
    Reconnecting,
    /// Lost, and the browser says that there is no network.
    Offline,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No socket, until `Timer::Reconnect` runs out.
    Down,
    /// No socket, until the page is shown again.
    Away,
    /// The socket is being opened, or `watched` is awaited.
    Trying,
    /// The socket is open but the watch was refused for now; asked again when `Timer::Reconnect` runs out.
    Refused,
    /// Watched.
    Live {
        since: u64,
        /// Whether the line was asked whether it lives.
        asked: bool,
    },
}

/// What was lost last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// Nothing yet.
    Never,
    /// The connection.
    Line,
    /// The watch: it was refused for now.
    Updates,
}

/// The state machine of the line.
#[derive(Debug)]
pub struct Line {
    upload: UploadRef,
    state: State,
    /// Lost or failed connections since one was stable.
    failures: u32,
    heard_at: u64,
    visible: bool,
    offline: bool,
    loss: Loss,
}

impl Line {
    /// Not started yet.
    pub fn new(upload: UploadId) -> Self {
        Self {
            upload: UploadRef::Id(upload),
            state: State::Away,
            failures: 0,
            heard_at: 0,
            visible: true,
            offline: false,
            loss: Loss::Never,
        }
    }

    /// What it looks like from outside.
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Live { .. } => Phase::Live,
            _ if self.loss == Loss::Updates => Phase::Delayed,
            _ if self.offline => Phase::Offline,
            _ if self.loss == Loss::Line => Phase::Reconnecting,
            _ => Phase::Connecting,
        }
    }

    /// Whether the tab is in view.
    pub fn is_visible(&self) -> bool {
        self.visible
    }

    /// Decides what to do next; `after` is the number of the last message that the tab has.
    pub fn handle(&mut self, event: LineEvent, now: Now, after: Seq) -> Vec<Effect> {
        match event {
            LineEvent::Start => self.connect(),
            LineEvent::Restored if self.state == State::Away => self.connect(),
            LineEvent::Restored => Vec::new(),
            LineEvent::Opened => vec![self.watch(after)],
            LineEvent::Heard => self.heard(now),
            LineEvent::Watched => self.watched(now),
            LineEvent::Refused(code) => self.refused(code, now, after),
            LineEvent::Flows => self.flows(now),
            LineEvent::Closed(code) => self.closed(code, now),
            LineEvent::Online => self.online(now, after),
            LineEvent::Offline => self.went_offline(now),
            LineEvent::Shown => self.shown(now, after),
            LineEvent::Hidden => {
                self.visible = false;
                Vec::new()
            }
            LineEvent::Left => self.leave(Effect::Disconnect),
            LineEvent::Unmounted => self.unmount(),
            LineEvent::Timer(timer) => self.ran_out(timer, now, after),
        }
    }

    /// The wait until the next poll, as long as polling makes sense.
    pub fn poll_delay(&self, now: Now) -> Option<u32> {
        let trying = matches!(self.state, State::Down | State::Trying | State::Refused);
        let every = match self.loss {
            Loss::Updates if trying => DELAYED_POLL_MILLIS,
            _ if trying && self.failures >= POLL_AFTER_FAILURES => POLL_MILLIS,
            _ => return None,
        };
        Some(every * 2 / 3 + now.jitter(every * 2 / 3))
    }
}
