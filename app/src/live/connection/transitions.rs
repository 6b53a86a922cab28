use super::{Connector, Loss, State};
use crate::event::{ClientCommand, RefusalCode};
use crate::live::effect::{Effect, Now, Timer};
use crate::model::{Cursor, Seq};

/// An attempt that is not answered by `watched` within this time has failed, and so has a probe.
const ANSWER_TIMEOUT_MILLIS: u32 = 10_000;
/// A connection without a frame for this long is probed. (The server's own pings are invisible to scripts.)
const IDLE_TIMEOUT_MILLIS: u32 = 60_000;
/// A connection without a frame for this long is probed when the tab becomes visible: the network may have changed
/// meanwhile.
const VISIBLE_IDLE_TIMEOUT_MILLIS: u64 = 15_000;
/// A connection that lasted this long resets the count of failures.
const STABLE_AFTER_MILLIS: u64 = 5_000;
/// The clients of a restarting node reconnect spread over this time.
const RESTART_SPREAD_MILLIS: u32 = 1_000;
/// The clients whose watch was refused repeat it spread over this time, once updates work again.
const RESUME_SPREAD_MILLIS: u32 = 1_000;
/// The delay when a retry is unlikely to help: between this and twice as much.
const LONG_DELAY_MILLIS: u32 = 15_000;
/// Close codes of RFC 6455 and its registry that need a delay of their own.
const POLICY_VIOLATION: u16 = 1008;
const SERVICE_RESTART: u16 = 1012;

impl Connector {
    pub(super) fn connect(&mut self) -> Vec<Effect> {
        self.state = State::Trying;
        vec![
            Effect::Stop(Timer::Reconnect),
            Effect::Stop(Timer::Idle),
            Effect::Start(Timer::Timeout, ANSWER_TIMEOUT_MILLIS),
            Effect::Connect,
        ]
    }

    pub(super) fn watch(&mut self, cursor: Cursor) -> Effect {
        self.is_announced = true;
        Effect::Send(ClientCommand::Watch {
            upload_id: self.upload,
            after: (cursor.seq > Seq::ZERO).then_some(cursor.seq),
            after_id: cursor.id,
            viewer: self.viewer.clone(),
        })
    }

    pub(super) fn watch_again(&mut self, cursor: Cursor) -> Vec<Effect> {
        self.state = State::Trying;
        vec![
            Effect::Stop(Timer::Reconnect),
            self.watch(cursor),
            Effect::Start(Timer::Timeout, ANSWER_TIMEOUT_MILLIS),
        ]
    }

    /// Repeats the watch of a live connection: its answer shows that the connection works.
    pub(super) fn probe(&mut self, since: u64, cursor: Cursor) -> Vec<Effect> {
        self.state = State::Live {
            since,
            probing: true,
        };
        vec![
            self.watch(cursor),
            Effect::Start(Timer::Timeout, ANSWER_TIMEOUT_MILLIS),
        ]
    }

    pub(super) fn on_frame(&mut self, now: Now) -> Vec<Effect> {
        self.last_frame_at = now.millis;
        if let State::Live {
            since,
            probing: true,
        } = self.state
        {
            self.state = State::Live {
                since,
                probing: false,
            };
            return vec![Effect::Stop(Timer::Timeout)];
        }
        Vec::new()
    }

    pub(super) fn on_watched(&mut self, now: Now) -> Vec<Effect> {
        if self.state != State::Trying {
            return Vec::new();
        }
        self.offline = false;
        self.state = State::Live {
            since: now.millis,
            probing: false,
        };
        vec![
            Effect::Stop(Timer::Timeout),
            Effect::Start(Timer::Idle, IDLE_TIMEOUT_MILLIS),
        ]
    }

    /// Watches again if the alias was changed before the last watch was answered.
    pub fn announce_viewer(&mut self, cursor: Cursor) -> Vec<Effect> {
        match self.state {
            State::Live {
                since,
                probing: false,
            } if !self.is_announced => self.probe(since, cursor),
            _ => Vec::new(),
        }
    }

    pub(super) fn on_refused(
        &mut self,
        code: RefusalCode,
        now: Now,
        cursor: Cursor,
    ) -> Vec<Effect> {
        match (code, self.state) {
            // The node no longer knows the watch, as the refusal of a touch shows.
            (
                RefusalCode::NotWatched,
                State::Live {
                    since,
                    probing: false,
                },
            ) => self.probe(since, cursor),
            (RefusalCode::NotWatched | RefusalCode::TooManyTouches, _) => Vec::new(),
            (RefusalCode::Unavailable | RefusalCode::TooManyWatches, _) => {
                let delay = now.backoff(self.failures);
                self.failures = self.failures.saturating_add(1);
                self.loss = Loss::Updates;
                self.state = State::Refused;
                vec![
                    Effect::Stop(Timer::Timeout),
                    Effect::Stop(Timer::Idle),
                    Effect::Start(Timer::Reconnect, delay),
                ]
            }
            (RefusalCode::NotFound, _) if self.state != State::Inactive => {
                self.give_up(State::NotFound)
            }
            (RefusalCode::Gone, _) => self.give_up(State::Gone),
            // This page does something wrong: a retry is unlikely to help.
            _ => self.lose(LONG_DELAY_MILLIS + now.jitter(LONG_DELAY_MILLIS)),
        }
    }

    /// An event of the upload shows that the server's live updates work again.
    pub(super) fn on_updates_resumed(&mut self, now: Now) -> Vec<Effect> {
        match self.state {
            State::Refused => vec![Effect::Start(
                Timer::Reconnect,
                now.jitter(RESUME_SPREAD_MILLIS),
            )],
            _ => Vec::new(),
        }
    }

    pub(super) fn on_closed(&mut self, code: u16, now: Now) -> Vec<Effect> {
        if self.state == State::Disconnected {
            return Vec::new();
        }
        let stable = self.clear_failures_if_stable(now);
        let delay = match code {
            POLICY_VIOLATION => LONG_DELAY_MILLIS + now.jitter(LONG_DELAY_MILLIS),
            SERVICE_RESTART if stable => now.jitter(RESTART_SPREAD_MILLIS),
            _ => now.backoff(self.failures),
        };
        self.lose(delay)
    }

    pub(super) fn clear_failures_if_stable(&mut self, now: Now) -> bool {
        let stable = matches!(self.state, State::Live { since, .. } if now.since(since) >= STABLE_AFTER_MILLIS);
        if stable {
            self.failures = 0;
        }
        stable
    }

    pub(super) fn lose(&mut self, delay: u32) -> Vec<Effect> {
        if self.state == State::Inactive {
            return Vec::new();
        }
        self.failures = self.failures.saturating_add(1);
        self.loss = Loss::Connection;
        self.state = State::Disconnected;
        vec![
            Effect::Disconnect,
            Effect::Stop(Timer::Timeout),
            Effect::Stop(Timer::Idle),
            Effect::Start(Timer::Reconnect, delay),
        ]
    }

    pub(super) fn on_online(&mut self, now: Now, cursor: Cursor) -> Vec<Effect> {
        self.offline = false;
        match self.state {
            // An attempt that began without a network would only time out.
            State::Trying => self.connect(),
            _ => self.retry_now(now, cursor, 0),
        }
    }

    pub(super) fn on_offline(&mut self, now: Now) -> Vec<Effect> {
        self.offline = true;
        self.clear_failures_if_stable(now);
        // The browser may be wrong, as for a server on the same machine: keep trying, but rarely.
        self.lose(LONG_DELAY_MILLIS + now.jitter(LONG_DELAY_MILLIS))
    }

    pub(super) fn on_visible(&mut self, now: Now, cursor: Cursor) -> Vec<Effect> {
        self.visible = true;
        self.retry_now(now, cursor, VISIBLE_IDLE_TIMEOUT_MILLIS)
    }

    /// Retries at once, or probes a connection that has been idle for `idle` milliseconds.
    pub(super) fn retry_now(&mut self, now: Now, cursor: Cursor, idle: u64) -> Vec<Effect> {
        match self.state {
            State::Disconnected => self.connect(),
            State::Refused => self.watch_again(cursor),
            State::Live {
                since,
                probing: false,
            } if now.since(self.last_frame_at) >= idle => self.probe(since, cursor),
            State::Live { .. }
            | State::Trying
            | State::Inactive
            | State::NotFound
            | State::Gone => Vec::new(),
        }
    }

    /// Does nothing more until the page is shown again; `socket` is what happens to the socket.
    pub(super) fn deactivate(&mut self, socket: Effect) -> Vec<Effect> {
        self.loss = Loss::Connection;
        self.state = State::Inactive;
        stop_timers().chain([socket]).collect()
    }

    /// Ends all attempts: there is no such upload, or no longer.
    fn give_up(&mut self, state: State) -> Vec<Effect> {
        self.state = state;
        stop_timers().chain([Effect::Disconnect]).collect()
    }

    /// Leaves a working socket to the next page.
    pub(super) fn on_unmounted(&mut self) -> Vec<Effect> {
        if !matches!(self.state, State::Live { probing: false, .. }) {
            return self.deactivate(Effect::Disconnect);
        }
        let unwatch = Effect::Send(ClientCommand::Unwatch {
            upload_id: self.upload,
        });
        let mut effects = vec![unwatch];
        effects.extend(self.deactivate(Effect::Release));
        effects
    }

    pub(super) fn on_timer(&mut self, timer: Timer, now: Now, cursor: Cursor) -> Vec<Effect> {
        match (timer, self.state) {
            (Timer::Reconnect, State::Disconnected) => self.connect(),
            (Timer::Reconnect, State::Refused) => self.watch_again(cursor),
            (Timer::Rename, State::Live { since, .. }) => self.probe(since, cursor),
            (Timer::Timeout, State::Trying | State::Live { probing: true, .. }) => {
                self.clear_failures_if_stable(now);
                self.lose(now.backoff(self.failures))
            }
            (Timer::Idle, State::Live { since, probing }) => {
                let idle = now.since(self.last_frame_at);
                let left = u64::from(IDLE_TIMEOUT_MILLIS).saturating_sub(idle);
                let mut effects = Vec::new();
                if left == 0 && !probing && self.visible {
                    effects = self.probe(since, cursor);
                }
                let next = match u32::try_from(left) {
                    Ok(0) | Err(_) => IDLE_TIMEOUT_MILLIS,
                    Ok(left) => left,
                };
                effects.push(Effect::Start(Timer::Idle, next));
                effects
            }
            _ => Vec::new(),
        }
    }
}

fn stop_timers() -> impl Iterator<Item = Effect> {
    let timers = [Timer::Reconnect, Timer::Timeout, Timer::Idle];
    timers.into_iter().map(Effect::Stop)
}
