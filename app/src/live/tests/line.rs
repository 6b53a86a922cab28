use super::super::effect::{Effect, Now, Timer};
use super::super::line::{Line, LineEvent, Phase};
use super::fixture::upload_id;
use crate::event::{ClientCommand, RefusalCode};
use crate::model::Seq;

/// A line, its clock, and the timers that run.
struct Rig {
    line: Line,
    now: Now,
    timers: Vec<(Timer, u32)>,
    cursor: Seq,
}

impl Rig {
    fn new() -> Self {
        Self {
            line: Line::new(upload_id()),
            now: Now {
                millis: 1_000_000,
                random: 0.999_999_999,
            },
            timers: Vec::new(),
            cursor: Seq::new(7),
        }
    }

    /// One that is watched since a minute.
    fn live() -> Self {
        let mut rig = Self::new();
        rig.handle(LineEvent::Start);
        rig.watch();
        rig.pass(60_000);
        rig.handle(LineEvent::Heard);
        rig
    }

    fn pass(&mut self, millis: u64) {
        self.now.millis += millis;
    }

    fn watch(&mut self) {
        self.handle(LineEvent::Opened);
        self.handle(LineEvent::Heard);
        self.handle(LineEvent::Watched);
        assert_eq!(self.line.phase(), Phase::Live);
    }

    fn handle(&mut self, event: LineEvent) -> Vec<Effect> {
        let effects = self.line.handle(event, self.now, self.cursor);
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

    fn run_out(&mut self, timer: Timer) -> Vec<Effect> {
        let millis = self.timer(timer).expect("it runs");
        self.timers.retain(|(running, _)| *running != timer);
        self.pass(u64::from(millis));
        self.handle(LineEvent::Timer(timer))
    }

    fn timer(&self, timer: Timer) -> Option<u32> {
        let mut timers = self.timers.iter();
        timers
            .find(|(running, _)| *running == timer)
            .map(|(_, millis)| *millis)
    }
}

fn connects(effects: &[Effect]) -> bool {
    effects.contains(&Effect::Connect)
}

fn watches(effects: &[Effect]) -> bool {
    let watch = |effect: &Effect| matches!(effect, Effect::Send(ClientCommand::Watch { .. }));
    effects.iter().any(watch)
}

#[test]
fn it_connects_watches_from_the_cursor_and_is_live() {
    let mut rig = Rig::new();
    assert_eq!(rig.line.phase(), Phase::Connecting);
    assert!(connects(&rig.handle(LineEvent::Start)));
    let effects = rig.handle(LineEvent::Opened);
    let Some(Effect::Send(ClientCommand::Watch { after, .. })) = effects.first() else {
        panic!("{effects:?}");
    };
    assert_eq!(*after, Some(Seq::new(7)));
    assert_eq!(rig.line.phase(), Phase::Connecting);
    rig.handle(LineEvent::Watched);
    assert_eq!(rig.line.phase(), Phase::Live);
    assert_eq!(rig.timer(Timer::Deadline), None);
}

#[test]
fn with_no_message_at_hand_the_cursor_is_null() {
    let mut rig = Rig::new();
    rig.cursor = Seq::ZERO;
    rig.handle(LineEvent::Start);
    let effects = rig.handle(LineEvent::Opened);
    assert!(matches!(
        effects.first(),
        Some(Effect::Send(ClientCommand::Watch { after: None, .. }))
    ));
}

#[test]
fn it_tries_forever_with_a_growing_backoff() {
    let mut rig = Rig::new();
    rig.handle(LineEvent::Start);
    let mut waits = Vec::new();
    for _ in 0..100 {
        rig.handle(LineEvent::Closed(1006));
        assert_eq!(rig.line.phase(), Phase::Reconnecting);
        waits.extend(rig.timer(Timer::Reconnect).map(|millis| millis + 1));
        assert!(connects(&rig.run_out(Timer::Reconnect)));
    }
    assert_eq!(
        waits[..8],
        [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]
    );
    assert_eq!(waits.last(), Some(&10_000));
}

#[test]
fn a_try_that_is_not_answered_in_ten_seconds_is_given_up() {
    for opened in [false, true] {
        let mut rig = Rig::new();
        rig.handle(LineEvent::Start);
        if opened {
            rig.handle(LineEvent::Opened);
        }
        assert_eq!(rig.timer(Timer::Deadline), Some(10_000));
        assert!(rig.run_out(Timer::Deadline).contains(&Effect::Disconnect));
        assert!(rig.timer(Timer::Reconnect).is_some());
    }
}

#[test]
fn a_connection_that_lasted_clears_the_failures_and_a_short_one_does_not() {
    for (lived, wait) in [(5_000, 500), (4_999, 8_000)] {
        let mut rig = Rig::new();
        rig.handle(LineEvent::Start);
        for _ in 0..4 {
            rig.handle(LineEvent::Closed(1006));
            rig.run_out(Timer::Reconnect);
        }
        rig.watch();
        rig.pass(lived);
        rig.handle(LineEvent::Closed(1006));
        assert_eq!(rig.timer(Timer::Reconnect), Some(wait - 1));
    }
}

#[test]
fn after_a_restart_it_comes_back_within_a_second() {
    let mut rig = Rig::live();
    rig.handle(LineEvent::Closed(1012));
    assert_eq!(rig.timer(Timer::Reconnect), Some(999));
}

#[test]
fn a_node_that_restarts_again_and_again_is_not_hammered() {
    let mut rig = Rig::live();
    for _ in 0..10 {
        rig.handle(LineEvent::Closed(1012));
        rig.run_out(Timer::Reconnect);
    }
    rig.handle(LineEvent::Closed(1012));
    assert_eq!(rig.timer(Timer::Reconnect), Some(9_999));
}

#[test]
fn after_being_too_slow_it_comes_back_soon() {
    let mut rig = Rig::live();
    rig.handle(LineEvent::Closed(1013));
    assert_eq!(rig.timer(Timer::Reconnect), Some(499));
}

#[test]
fn after_breaking_a_rule_it_waits_long() {
    let mut rig = Rig::live();
    rig.now.random = 0.0;
    rig.handle(LineEvent::Closed(1008));
    assert_eq!(rig.timer(Timer::Reconnect), Some(15_000));
}

#[test]
fn online_and_coming_into_view_connect_at_once() {
    for event in [LineEvent::Online, LineEvent::Shown] {
        let mut rig = Rig::live();
        rig.handle(LineEvent::Closed(1006));
        assert!(connects(&rig.handle(event)), "{event:?}");
        assert_eq!(rig.timer(Timer::Reconnect), None);
    }
}

#[test]
fn online_replaces_a_try_that_began_without_a_network() {
    let mut rig = Rig::new();
    rig.handle(LineEvent::Start);
    assert!(connects(&rig.handle(LineEvent::Online)));
    assert!(
        !connects(&rig.handle(LineEvent::Shown)),
        "one try at a time"
    );
}

#[test]
fn a_live_line_is_not_reconnected_when_the_tab_comes_into_view() {
    let mut rig = Rig::live();
    assert_eq!(rig.handle(LineEvent::Shown), []);
}

#[test]
fn offline_closes_and_tries_seldom_until_online() {
    let mut rig = Rig::live();
    rig.now.random = 0.0;
    assert!(rig.handle(LineEvent::Offline).contains(&Effect::Disconnect));
    assert_eq!(rig.line.phase(), Phase::Offline);
    assert_eq!(rig.timer(Timer::Reconnect), Some(15_000));
    rig.run_out(Timer::Reconnect);
    assert_eq!(rig.line.phase(), Phase::Offline);
    rig.handle(LineEvent::Online);
    assert_eq!(rig.line.phase(), Phase::Reconnecting);
}

#[test]
fn a_browser_that_is_wrong_about_the_network_is_not_believed() {
    let mut rig = Rig::live();
    rig.handle(LineEvent::Offline);
    rig.run_out(Timer::Reconnect);
    rig.watch();
}

#[test]
fn a_silent_line_is_asked_and_given_up_when_it_does_not_answer() {
    let mut rig = Rig::live();
    rig.pass(20_000);
    let effects = rig.handle(LineEvent::Timer(Timer::Silence));
    assert_eq!(
        effects,
        [Effect::Start(Timer::Silence, 40_000)],
        "it was heard meanwhile"
    );
    assert!(watches(&rig.run_out(Timer::Silence)));
    assert_eq!(rig.line.phase(), Phase::Live);
    assert!(rig.run_out(Timer::Deadline).contains(&Effect::Disconnect));
    assert_eq!(rig.line.phase(), Phase::Reconnecting);
}

#[test]
fn a_silent_line_that_answers_stays() {
    let mut rig = Rig::live();
    rig.pass(60_000);
    rig.handle(LineEvent::Timer(Timer::Silence));
    rig.handle(LineEvent::Heard);
    rig.handle(LineEvent::Watched);
    assert_eq!(rig.timer(Timer::Deadline), None);
    assert_eq!(rig.timer(Timer::Silence), Some(60_000));
    assert_eq!(rig.line.phase(), Phase::Live);
}

#[test]
fn out_of_view_a_silent_line_is_left_alone_and_asked_on_return() {
    let mut rig = Rig::live();
    rig.handle(LineEvent::Hidden);
    rig.pass(120_000);
    assert!(!watches(&rig.handle(LineEvent::Timer(Timer::Silence))));
    assert!(watches(&rig.handle(LineEvent::Shown)));
}

#[test]
fn a_watch_that_is_refused_for_now_is_repeated_on_the_same_socket() {
    let mut rig = Rig::new();
    rig.handle(LineEvent::Start);
    rig.handle(LineEvent::Opened);
    for wait in [500, 1_000, 2_000] {
        rig.handle(LineEvent::Refused(RefusalCode::Unavailable));
        assert_eq!(rig.line.phase(), Phase::Delayed);
        assert_eq!(rig.timer(Timer::Deadline), None);
        assert_eq!(rig.timer(Timer::Reconnect), Some(wait - 1));
        let effects = rig.run_out(Timer::Reconnect);
        assert!(watches(&effects) && !connects(&effects));
        assert_eq!(rig.timer(Timer::Deadline), Some(10_000));
    }
    rig.handle(LineEvent::Watched);
    assert_eq!(rig.line.phase(), Phase::Live);
}

#[test]
fn a_watch_that_is_broken_later_is_polled_for_and_repeated_once_frames_flow() {
    let mut rig = Rig::live();
    assert_eq!(rig.line.poll_delay(rig.now), None);
    for _ in 0..3 {
        rig.handle(LineEvent::Refused(RefusalCode::Unavailable));
        assert_eq!(rig.line.phase(), Phase::Delayed);
        rig.run_out(Timer::Reconnect);
        assert_eq!(rig.line.phase(), Phase::Delayed, "also while it asks");
        let poll = rig.line.poll_delay(rig.now).expect("it polls");
        assert!((5_000..11_000).contains(&poll), "{poll}");
    }
    rig.handle(LineEvent::Refused(RefusalCode::Unavailable));
    rig.handle(LineEvent::Flows);
    assert_eq!(rig.timer(Timer::Reconnect), Some(999), "spread by a second");
    assert!(watches(&rig.run_out(Timer::Reconnect)));
    rig.handle(LineEvent::Watched);
    assert_eq!(rig.line.phase(), Phase::Live);
    assert_eq!(rig.line.poll_delay(rig.now), None);
    rig.handle(LineEvent::Flows);
    assert_eq!(
        rig.timer(Timer::Reconnect),
        None,
        "a live line stays as it is"
    );
}

#[test]
fn a_lost_line_is_not_called_delayed() {
    let mut rig = Rig::live();
    rig.handle(LineEvent::Refused(RefusalCode::Unavailable));
    rig.handle(LineEvent::Closed(1006));
    assert_eq!(rig.line.phase(), Phase::Reconnecting);
}

#[test]
fn a_watch_of_what_is_gone_is_repeated_seldom() {
    let mut rig = Rig::new();
    rig.handle(LineEvent::Start);
    rig.handle(LineEvent::Opened);
    let effects = rig.handle(LineEvent::Refused(RefusalCode::NotFound));
    assert!(effects.contains(&Effect::Disconnect));
    assert!(rig.timer(Timer::Reconnect) >= Some(15_000));
}

#[test]
fn a_touch_that_was_not_watched_asks_for_the_watch_once() {
    let mut rig = Rig::live();
    assert!(watches(
        &rig.handle(LineEvent::Refused(RefusalCode::NotWatched))
    ));
    assert_eq!(rig.handle(LineEvent::Refused(RefusalCode::NotWatched)), []);
}

#[test]
fn leaving_the_page_closes_everything_and_coming_back_connects() {
    let mut rig = Rig::live();
    assert!(rig.handle(LineEvent::Left).contains(&Effect::Disconnect));
    assert_eq!(rig.timers, []);
    for event in [
        LineEvent::Closed(1001),
        LineEvent::Shown,
        LineEvent::Online,
        LineEvent::Offline,
    ] {
        assert_eq!(rig.handle(event), [], "{event:?}");
    }
    assert!(connects(&rig.handle(LineEvent::Restored)));
    assert_eq!(rig.handle(LineEvent::Restored), []);
}

#[test]
fn after_three_failures_it_polls_until_it_is_live() {
    let mut rig = Rig::new();
    rig.handle(LineEvent::Start);
    for failures in 0..3 {
        assert_eq!(rig.line.poll_delay(rig.now), None, "after {failures}");
        rig.handle(LineEvent::Closed(1006));
        rig.run_out(Timer::Reconnect);
    }
    let delay = rig.line.poll_delay(rig.now).unwrap();
    assert!((10_000..20_000).contains(&delay), "{delay}");
    rig.watch();
    assert_eq!(rig.line.poll_delay(rig.now), None);
}

#[test]
fn the_next_page_goes_on_with_the_socket_of_the_one_before() {
    let mut rig = Rig::live();
    let effects = rig.handle(LineEvent::Unmounted);
    assert!(matches!(
        effects[0],
        Effect::Send(ClientCommand::Unwatch { .. })
    ));
    assert_eq!(effects.last(), Some(&Effect::Release));
    assert_eq!(rig.timers, []);
    let effects = rig.handle(LineEvent::Start);
    assert!(effects.contains(&Effect::Connect));
    let effects = rig.handle(LineEvent::Unmounted);
    assert_eq!(effects.last(), Some(&Effect::Disconnect));
}
