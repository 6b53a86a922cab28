//! When to connect, when to give a connection up, and when to try again.

mod transitions;

use super::effect::{Effect, Now, Timer};
use crate::event::RefusalCode;
use crate::model::{AuthorName, Cursor, UploadId, UploadRef, Viewer};

/// After this many failures in a row messages are fetched without a socket.
const FAILURES_BEFORE_POLLING: u32 = 3;
/// The time between two polls, give or take a third.
const POLL_INTERVAL_MILLIS: u32 = 15_000;
/// The time between two polls while the server answers and only its live updates are unavailable.
const DELAYED_POLL_INTERVAL_MILLIS: u32 = 8_000;

/// What happens to the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionEvent {
    /// The conversation's page is shown, for the first time or again.
    Mounted,
    /// The socket is open.
    Opened,
    /// A frame arrived.
    FrameReceived,
    /// The server follows the upload for this socket.
    Watched,
    /// The server refused to follow it.
    Refused(RefusalCode),
    /// An event of the upload arrived: the server's live updates work.
    UpdatesResumed,
    /// The socket was closed, or could not be opened, with this code.
    Closed(u16),
    /// The browser reports a network.
    Online,
    /// The browser reports that there is no network.
    Offline,
    /// The tab became visible.
    Visible,
    /// The tab became invisible.
    Hidden,
    /// The document is left; the browser may keep it for the way back.
    PageHidden,
    /// The document is shown again as it was left.
    PageShown,
    /// The app shows another page.
    Unmounted,
    /// A timer of the connection expired.
    Timer(Timer),
}

/// The connection as the reader sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The first connection is being made.
    Connecting,
    /// New messages arrive at once.
    Live,
    /// The server answers, but new messages do not arrive by themselves for now.
    Delayed,
    /// The connection was lost; another one is being made.
    Reconnecting,
    /// The connection was lost, and the browser reports that there is no network.
    Offline,
    /// The server does not know the upload. Nothing is tried any more.
    NotFound,
    /// The upload was deleted or has expired. Nothing is tried any more.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No socket until `Timer::Reconnect` expires.
    Disconnected,
    /// No socket until the page is shown again.
    Inactive,
    /// The socket is being opened, or the answer to `watch` is due.
    Trying,
    /// The socket is open but the watch was refused for now; repeated when `Timer::Reconnect` expires.
    Refused,
    /// Watching.
    Live {
        since: u64,
        /// Whether the answer to a probe is due.
        probing: bool,
    },
    /// The server does not know the upload.
    NotFound,
    /// The upload was deleted or has expired.
    Gone,
}

/// What was lost last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// Nothing yet.
    Nothing,
    /// The connection.
    Connection,
    /// The watch: it was refused for now.
    Updates,
}

/// The state machine of the connection.
#[derive(Debug)]
pub struct Connector {
    upload: UploadRef,
    /// What a watch says about the reader.
    pub viewer: Option<Viewer>,
    /// Whether the last watch said that.
    is_announced: bool,
    state: State,
    /// Lost or failed connections since one was stable.
    failures: u32,
    last_frame_at: u64,
    visible: bool,
    offline: bool,
    loss: Loss,
}

impl Connector {
    /// Starts without a connection, until `ConnectionEvent::Mounted`.
    pub fn new(upload: UploadId) -> Self {
        Self {
            upload: UploadRef::Id(upload),
            viewer: None,
            is_announced: false,
            state: State::Inactive,
            failures: 0,
            last_frame_at: 0,
            visible: true,
            offline: false,
            loss: Loss::Nothing,
        }
    }

    /// The connection as the reader sees it.
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Live { .. } => Phase::Live,
            State::NotFound => Phase::NotFound,
            State::Gone => Phase::Gone,
            _ if self.loss == Loss::Updates => Phase::Delayed,
            _ if self.offline => Phase::Offline,
            _ if self.loss == Loss::Connection => Phase::Reconnecting,
            _ => Phase::Connecting,
        }
    }

    /// The reader has another alias.
    pub fn rename(&mut self, name: Option<AuthorName>) {
        if let Some(viewer) = &mut self.viewer {
            viewer.name = name;
        }
        self.is_announced = false;
    }

    /// Whether the page is left, or not shown yet.
    pub fn is_inactive(&self) -> bool {
        self.state == State::Inactive
    }

    /// Whether the tab is visible.
    pub fn is_visible(&self) -> bool {
        self.visible
    }

    /// Decides what to do next; `cursor` is the last entry that the tab has.
    pub fn handle(&mut self, event: ConnectionEvent, now: Now, cursor: Cursor) -> Vec<Effect> {
        match event {
            _ if matches!(self.state, State::NotFound | State::Gone) => Vec::new(),
            ConnectionEvent::Mounted => self.connect(),
            ConnectionEvent::PageShown if self.state == State::Inactive => self.connect(),
            ConnectionEvent::PageShown => Vec::new(),
            ConnectionEvent::Opened => vec![self.watch(cursor)],
            ConnectionEvent::FrameReceived => self.on_frame(now),
            ConnectionEvent::Watched => self.on_watched(now),
            ConnectionEvent::Refused(code) => self.on_refused(code, now, cursor),
            ConnectionEvent::UpdatesResumed => self.on_updates_resumed(now),
            ConnectionEvent::Closed(code) => self.on_closed(code, now),
            ConnectionEvent::Online => self.on_online(now, cursor),
            ConnectionEvent::Offline => self.on_offline(now),
            ConnectionEvent::Visible => self.on_visible(now, cursor),
            ConnectionEvent::Hidden => {
                self.visible = false;
                Vec::new()
            }
            ConnectionEvent::PageHidden => self.deactivate(Effect::Disconnect),
            ConnectionEvent::Unmounted => self.on_unmounted(),
            ConnectionEvent::Timer(timer) => self.on_timer(timer, now, cursor),
        }
    }

    /// The delay until the next poll in milliseconds, as long as polling makes sense.
    pub fn poll_delay(&self, now: Now) -> Option<u32> {
        let trying = matches!(
            self.state,
            State::Disconnected | State::Trying | State::Refused
        );
        let interval = match self.loss {
            Loss::Updates if trying => DELAYED_POLL_INTERVAL_MILLIS,
            _ if trying && self.failures >= FAILURES_BEFORE_POLLING => POLL_INTERVAL_MILLIS,
            _ => return None,
        };
        Some(interval * 2 / 3 + now.jitter(interval * 2 / 3))
    }
}
