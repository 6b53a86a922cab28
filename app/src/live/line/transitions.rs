use super::{Line, Loss, State};
use crate::event::{ClientCommand, RefusalCode};
use crate::live::effect::{Effect, Now, Timer};
use crate::model::Seq;

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
/// The same for those whose watch was refused, once frames flow again.
const FLOWS_MILLIS: u32 = 1_000;
/// Waiting when there is little hope: between this and twice as much.
const LONG_MILLIS: u32 = 15_000;
/// Close codes of RFC 6455 and its registry that call for a wait of their own.
const POLICY_VIOLATION: u16 = 1008;
const SERVICE_RESTART: u16 = 1012;

impl Line {
    pub(super) fn connect(&mut self) -> Vec<Effect> {
        self.state = State::Trying;
        vec![
            Effect::Stop(Timer::Reconnect),
            Effect::Stop(Timer::Silence),
            Effect::Start(Timer::Deadline, DEADLINE_MILLIS),
            Effect::Connect,
        ]
    }

    pub(super) fn watch(&self, after: Seq) -> Effect {
        Effect::Send(ClientCommand::Watch {
            upload_id: self.upload,
            after: (after > Seq::ZERO).then_some(after),
        })
    }

    pub(super) fn watch_again(&mut self, after: Seq) -> Vec<Effect> {
        self.state = State::Trying;
        vec![
            Effect::Stop(Timer::Reconnect),
            self.watch(after),
            Effect::Start(Timer::Deadline, DEADLINE_MILLIS),
        ]
    }

    /// Asks a live line for a sign of life: the answer to a repeated watch.
    pub(super) fn ask(&mut self, since: u64, after: Seq) -> Vec<Effect> {
        self.state = State::Live { since, asked: true };
        vec![
            self.watch(after),
            Effect::Start(Timer::Deadline, DEADLINE_MILLIS),
        ]
    }

    pub(super) fn heard(&mut self, now: Now) -> Vec<Effect> {
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

    pub(super) fn watched(&mut self, now: Now) -> Vec<Effect> {
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

    pub(super) fn refused(&mut self, code: RefusalCode, now: Now, after: Seq) -> Vec<Effect> {
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
            (RefusalCode::Unavailable | RefusalCode::TooManyWatches, _) => {
                let delay = now.backoff(self.failures);
                self.failures = self.failures.saturating_add(1);
                self.loss = Loss::Updates;
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

    /// A frame of the conversation shows that the server has repaired what was broken.
    pub(super) fn flows(&mut self, now: Now) -> Vec<Effect> {
        match self.state {
            State::Refused => vec![Effect::Start(Timer::Reconnect, now.jitter(FLOWS_MILLIS))],
            _ => Vec::new(),
        }
    }

    pub(super) fn closed(&mut self, code: u16, now: Now) -> Vec<Effect> {
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

    pub(super) fn clear_failures_if_stable(&mut self, now: Now) -> bool {
        let stable =
            matches!(self.state, State::Live { since, .. } if now.since(since) >= STABLE_MILLIS);
        if stable {
            self.failures = 0;
        }
        stable
    }

    pub(super) fn lose(&mut self, delay: u32) -> Vec<Effect> {
        if self.state == State::Away {
            return Vec::new();
        }
        self.failures = self.failures.saturating_add(1);
        self.loss = Loss::Line;
        self.state = State::Down;
        vec![
            Effect::Disconnect,
            Effect::Stop(Timer::Deadline),
            Effect::Stop(Timer::Silence),
            Effect::Start(Timer::Reconnect, delay),
        ]
    }

    pub(super) fn online(&mut self, now: Now, after: Seq) -> Vec<Effect> {
        self.offline = false;
        match self.state {
            // A try that began without a network would only run into its deadline.
            State::Trying => self.connect(),
            _ => self.hurry(now, after, 0),
        }
    }

    pub(super) fn went_offline(&mut self, now: Now) -> Vec<Effect> {
        self.offline = true;
        self.clear_failures_if_stable(now);
        // The browser may be wrong, as for a server on the same machine: keep trying, but seldom.
        self.lose(LONG_MILLIS + now.jitter(LONG_MILLIS))
    }

    pub(super) fn shown(&mut self, now: Now, after: Seq) -> Vec<Effect> {
        self.visible = true;
        self.hurry(now, after, SUSPICIOUS_MILLIS)
    }

    /// Tries at once what would be tried later.
    pub(super) fn hurry(&mut self, now: Now, after: Seq, silence: u64) -> Vec<Effect> {
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

    /// Nothing more happens until the page is there again; `part` says what becomes of the socket.
    pub(super) fn leave(&mut self, part: Effect) -> Vec<Effect> {
        self.loss = Loss::Line;
        self.state = State::Away;
        let timers = [Timer::Reconnect, Timer::Deadline, Timer::Silence];
        let stop = timers.into_iter().map(Effect::Stop);
        stop.chain([part]).collect()
    }

    /// The next page goes on with a socket that works.
    pub(super) fn unmount(&mut self) -> Vec<Effect> {
        if !matches!(self.state, State::Live { asked: false, .. }) {
            return self.leave(Effect::Disconnect);
        }
        let unwatch = Effect::Send(ClientCommand::Unwatch {
            upload_id: self.upload,
        });
        let mut effects = vec![unwatch];
        effects.extend(self.leave(Effect::Release));
        effects
    }

    pub(super) fn ran_out(&mut self, timer: Timer, now: Now, after: Seq) -> Vec<Effect> {
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
