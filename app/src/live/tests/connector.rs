use super::super::connection::{ConnectionEvent, Connector, Phase};
use super::super::effect::{Effect, Now, Timer};
use super::fixture::upload_id;
use crate::event::ClientCommand;
use crate::model::{Cursor, MessageId, Seq};

/// A connector with a clock and timers.
pub(super) struct Harness {
    pub(super) connector: Connector,
    pub(super) now: Now,
    /// Those that run, with their milliseconds.
    pub(super) timers: Vec<(Timer, u32)>,
    pub(super) cursor: Cursor,
}

impl Harness {
    pub(super) fn new() -> Self {
        Self {
            connector: Connector::new(upload_id()),
            now: Now {
                millis: 1_000_000,
                random: 0.999_999_999,
            },
            timers: Vec::new(),
            cursor: Cursor {
                seq: Seq::new(7),
                id: Some(MessageId::from_bytes([9; 12])),
            },
        }
    }

    /// One that has been live for a minute.
    pub(super) fn live() -> Self {
        let mut harness = Self::new();
        harness.handle(ConnectionEvent::Mounted);
        harness.watch();
        harness.advance(60_000);
        harness.handle(ConnectionEvent::FrameReceived);
        harness
    }

    pub(super) fn advance(&mut self, millis: u64) {
        self.now.millis += millis;
    }

    pub(super) fn watch(&mut self) {
        self.handle(ConnectionEvent::Opened);
        self.handle(ConnectionEvent::FrameReceived);
        self.handle(ConnectionEvent::Watched);
        assert_eq!(self.connector.phase(), Phase::Live);
    }

    pub(super) fn handle(&mut self, event: ConnectionEvent) -> Vec<Effect> {
        let effects = self.connector.handle(event, self.now, self.cursor);
        for effect in &effects {
            match *effect {
                Effect::Start(timer, millis) => {
                    self.timers.retain(|(running, _)| *running != timer);
                    self.timers.push((timer, millis));
                }
                Effect::Stop(timer) => self.timers.retain(|(running, _)| *running != timer),
                _ => {}
            }
        }
        effects
    }

    pub(super) fn expire(&mut self, timer: Timer) -> Vec<Effect> {
        let millis = self.timer(timer).expect("it runs");
        self.timers.retain(|(running, _)| *running != timer);
        self.advance(u64::from(millis));
        self.handle(ConnectionEvent::Timer(timer))
    }

    pub(super) fn timer(&self, timer: Timer) -> Option<u32> {
        let mut timers = self.timers.iter();
        timers
            .find(|(running, _)| *running == timer)
            .map(|(_, millis)| *millis)
    }
}

pub(super) fn connects(effects: &[Effect]) -> bool {
    effects.contains(&Effect::Connect)
}

pub(super) fn watches(effects: &[Effect]) -> bool {
    let watch = |effect: &Effect| matches!(effect, Effect::Send(ClientCommand::Watch { .. }));
    effects.iter().any(watch)
}
