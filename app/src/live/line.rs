//! The line to the server: when to connect, when to give up on a connection, and when to try again.

use super::effect::{Effect, Now, Timer};
use crate::event::{ClientCommand, RefusalCode};
use crate::model::{Seq, UploadId, UploadRef};

/// A try that is not answered by `watched` within this time is given up, and so is a line that was asked whether
/// it lives.
const DEADLINE_MILLIS: u32 = 10_000;
/// A line on which nothing is heard for this long is asked. (The server's own pings are invisible to scripts.)
const SILENCE_MILLIS: u32 = 60_000;
/// When the tab becomes visible, the computer may have slept: silence is suspicious earlier.
const SUSPICIOUS_MILLIS: u64 = 15_000;
/// A connection that lived this long clears the record of failures.
const STABLE_MILLIS: u64 = 5_000;
/// How far a restarting node's sockets spread their return.
const RESTART_MILLIS: u32 = 1_000;
/// Waiting when there is little hope: between this and twice as much.
const LONG_MILLIS: u32 = 15_000;
/// After so many failures in a row the messages are fetched without a socket.
const POLL_AFTER_FAILURES: u32 = 3;
/// Polls are this far apart, give or take a third.
const POLL_MILLIS: u32 = 15_000;

/// Close codes of RFC 6455 and its registry that call for a wait of their own.
const POLICY_VIOLATION: u16 = 1008;
const SERVICE_RESTART: u16 = 1012;

/// What happens to the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEvent {
    /// The page is ready.
    Start,
    /// The socket is open.
    Opened,
    /// A frame came.
    Heard,
    /// The server follows the upload for this socket.
    Watched,
    /// It does not.
    Refused(RefusalCode),
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
    /// The page is left, perhaps to be kept for the way back.
    Left,
    /// The page is shown again as it was left.
    Restored,
    /// A timer ran out.
    Timer(Timer),
}

/// What the line looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first connection is being made.
    Connecting,
    /// What is posted from now on arrives.
    Live,
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

/// The state machine of the line.
#[derive(Debug)]
pub(super) struct Line {
    upload: UploadRef,
    state: State,
    /// Lost or failed connections since one was stable.
    failures: u32,
    heard_at: u64,
    visible: bool,
    offline: bool,
    ever_lost: bool,
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
            ever_lost: false,
        }
    }

    /// What it looks like from outside.
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Live { .. } => Phase::Live,
            _ if self.offline => Phase::Offline,
            _ if self.ever_lost => Phase::Reconnecting,
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
            LineEvent::Closed(code) => self.closed(code, now),
            LineEvent::Online => self.online(now, after),
            LineEvent::Offline => self.went_offline(now),
            LineEvent::Shown => self.shown(now, after),
            LineEvent::Hidden => {
                self.visible = false;
                Vec::new()
            }
            LineEvent::Left => self.leave(),
            LineEvent::Timer(timer) => self.ran_out(timer, now, after),
        }
    }

    /// The wait until the next poll, as long as polling makes sense.
    pub fn poll_delay(&self, now: Now) -> Option<u32> {
        let trying = matches!(self.state, State::Down | State::Trying | State::Refused);
        let needed = trying && self.failures >= POLL_AFTER_FAILURES;
        needed.then(|| POLL_MILLIS * 2 / 3 + now.jitter(POLL_MILLIS * 2 / 3))
    }

    fn connect(&mut self) -> Vec<Effect> {
        self.state = State::Trying;
        vec![
            Effect::Stop(Timer::Reconnect),
            Effect::Stop(Timer::Silence),
            Effect::Start(Timer::Deadline, DEADLINE_MILLIS),
            Effect::Connect,
        ]
    }

    fn watch(&self, after: Seq) -> Effect {
        Effect::Tell(ClientCommand::Watch {
            upload_id: self.upload,
            after: (after > Seq::ZERO).then_some(after),
        })
    }

    fn watch_again(&mut self, after: Seq) -> Vec<Effect> {
        self.state = State::Trying;
        vec![
            Effect::Stop(Timer::Reconnect),
            self.watch(after),
            Effect::Start(Timer::Deadline, DEADLINE_MILLIS),
        ]
    }

    /// Asks a live line for a sign of life: the answer to a repeated watch.
    fn ask(&mut self, since: u64, after: Seq) -> Vec<Effect> {
        self.state = State::Live { since, asked: true };
        vec![
            self.watch(after),
            Effect::Start(Timer::Deadline, DEADLINE_MILLIS),
        ]
    }

    fn heard(&mut self, now: Now) -> Vec<Effect> {
        self.heard_at = now.millis;
        if let State::Live { since, asked: true } = self.state {
            self.state = State::Live {
                since,
                asked: false,
            };
            return vec![Effect::Stop(Timer::Deadline)];
        }
        Vec::new()
    }

    fn watched(&mut self, now: Now) -> Vec<Effect> {
        if self.state != State::Trying {
            return Vec::new();
        }
        self.offline = false;
        self.state = State::Live {
            since: now.millis,
            asked: false,
        };
        vec![
            Effect::Stop(Timer::Deadline),
            Effect::Start(Timer::Silence, SILENCE_MILLIS),
        ]
    }

    fn refused(&mut self, code: RefusalCode, now: Now, after: Seq) -> Vec<Effect> {
        match (code, self.state) {
            // A touch shows that the node has forgotten the watch.
            (
                RefusalCode::NotWatched,
                State::Live {
                    since,
                    asked: false,
                },
            ) => self.ask(since, after),
            (RefusalCode::NotWatched | RefusalCode::TooManyTouches, _) => Vec::new(),
            (RefusalCode::Unavailable, _) => {
                let delay = now.backoff(self.failures);
                self.failures = self.failures.saturating_add(1);
                self.ever_lost = true;
                self.state = State::Refused;
                vec![
                    Effect::Stop(Timer::Deadline),
                    Effect::Stop(Timer::Silence),
                    Effect::Start(Timer::Reconnect, delay),
                ]
            }
            // The upload is gone, or this page does something wrong: there is little hope, but no harm in asking.
            _ => self.lose(LONG_MILLIS + now.jitter(LONG_MILLIS)),
        }
    }

    fn closed(&mut self, code: u16, now: Now) -> Vec<Effect> {
        if self.state == State::Down {
            return Vec::new();
        }
        let stable = self.clear_failures_if_stable(now);
        let delay = match code {
            POLICY_VIOLATION => LONG_MILLIS + now.jitter(LONG_MILLIS),
            SERVICE_RESTART if stable => now.jitter(RESTART_MILLIS),
            _ => now.backoff(self.failures),
        };
        self.lose(delay)
    }

    fn clear_failures_if_stable(&mut self, now: Now) -> bool {
        let stable =
            matches!(self.state, State::Live { since, .. } if now.since(since) >= STABLE_MILLIS);
        if stable {
            self.failures = 0;
        }
        stable
    }

    fn lose(&mut self, delay: u32) -> Vec<Effect> {
        if self.state == State::Away {
            return Vec::new();
        }
        self.failures = self.failures.saturating_add(1);
        self.ever_lost = true;
        self.state = State::Down;
        vec![
            Effect::Disconnect,
            Effect::Stop(Timer::Deadline),
            Effect::Stop(Timer::Silence),
            Effect::Start(Timer::Reconnect, delay),
        ]
    }

    fn online(&mut self, now: Now, after: Seq) -> Vec<Effect> {
        self.offline = false;
        match self.state {
            // A try that began without a network would only run into its deadline.
            State::Trying => self.connect(),
            _ => self.hurry(now, after, 0),
        }
    }

    fn went_offline(&mut self, now: Now) -> Vec<Effect> {
        self.offline = true;
        self.clear_failures_if_stable(now);
        // The browser may be wrong, as for a server on the same machine: keep trying, but seldom.
        self.lose(LONG_MILLIS + now.jitter(LONG_MILLIS))
    }

    fn shown(&mut self, now: Now, after: Seq) -> Vec<Effect> {
        self.visible = true;
        self.hurry(now, after, SUSPICIOUS_MILLIS)
    }

    /// Tries at once what would be tried later.
    fn hurry(&mut self, now: Now, after: Seq, silence: u64) -> Vec<Effect> {
        match self.state {
            State::Down => self.connect(),
            State::Refused => self.watch_again(after),
            State::Live {
                since,
                asked: false,
            } if now.since(self.heard_at) >= silence => self.ask(since, after),
            State::Live { .. } | State::Trying | State::Away => Vec::new(),
        }
    }

    fn leave(&mut self) -> Vec<Effect> {
        self.ever_lost = true;
        self.state = State::Away;
        let timers = [Timer::Reconnect, Timer::Deadline, Timer::Silence];
        let stop = timers.into_iter().map(Effect::Stop);
        stop.chain([Effect::Disconnect]).collect()
    }

    fn ran_out(&mut self, timer: Timer, now: Now, after: Seq) -> Vec<Effect> {
        match (timer, self.state) {
            (Timer::Reconnect, State::Down) => self.connect(),
            (Timer::Reconnect, State::Refused) => self.watch_again(after),
            (Timer::Deadline, State::Trying | State::Live { asked: true, .. }) => {
                self.clear_failures_if_stable(now);
                self.lose(now.backoff(self.failures))
            }
            (Timer::Silence, State::Live { since, asked }) => {
                let quiet = now.since(self.heard_at);
                let rest = u64::from(SILENCE_MILLIS).saturating_sub(quiet);
                let mut effects = Vec::new();
                if rest == 0 && !asked && self.visible {
                    effects = self.ask(since, after);
                }
                let next = u32::try_from(rest).unwrap_or(0);
                let next = if next == 0 { SILENCE_MILLIS } else { next };
                effects.push(Effect::Start(Timer::Silence, next));
                effects
            }
            _ => Vec::new(),
        }
    }
}
