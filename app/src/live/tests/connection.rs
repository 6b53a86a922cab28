use super::super::connection::{ConnectionEvent, Phase};
use super::super::effect::{Effect, Timer};
use super::connector::{Harness, connects, watches};
use crate::event::{ClientCommand, RefusalCode};
use crate::model::{Cursor, Seq};

#[test]
fn it_connects_watches_from_the_cursor_and_is_live() {
    let mut harness = Harness::new();
    assert_eq!(harness.connector.phase(), Phase::Connecting);
    assert!(connects(&harness.handle(ConnectionEvent::Mounted)));
    let effects = harness.handle(ConnectionEvent::Opened);
    let Some(Effect::Send(ClientCommand::Watch {
        after, after_id, ..
    })) = effects.first()
    else {
        panic!("{effects:?}");
    };
    assert_eq!(*after, Some(Seq::new(7)));
    assert_eq!(*after_id, harness.cursor.id);
    assert_eq!(harness.connector.phase(), Phase::Connecting);
    harness.handle(ConnectionEvent::Watched);
    assert_eq!(harness.connector.phase(), Phase::Live);
    assert_eq!(harness.timer(Timer::Timeout), None);
}

#[test]
fn without_messages_the_cursor_is_null() {
    let mut harness = Harness::new();
    harness.cursor = Cursor::default();
    harness.handle(ConnectionEvent::Mounted);
    let effects = harness.handle(ConnectionEvent::Opened);
    assert!(matches!(
        effects.first(),
        Some(Effect::Send(ClientCommand::Watch {
            after: None,
            after_id: None,
            ..
        }))
    ));
}

#[test]
fn it_retries_forever_with_a_growing_backoff() {
    let mut harness = Harness::new();
    harness.handle(ConnectionEvent::Mounted);
    let mut waits = Vec::new();
    for _ in 0..100 {
        harness.handle(ConnectionEvent::Closed(1006));
        assert_eq!(harness.connector.phase(), Phase::Reconnecting);
        waits.extend(harness.timer(Timer::Reconnect).map(|millis| millis + 1));
        assert!(connects(&harness.expire(Timer::Reconnect)));
    }
    assert_eq!(
        waits[..8],
        [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]
    );
    assert_eq!(waits.last(), Some(&10_000));
}

#[test]
fn an_attempt_that_is_not_answered_in_ten_seconds_has_failed() {
    for opened in [false, true] {
        let mut harness = Harness::new();
        harness.handle(ConnectionEvent::Mounted);
        if opened {
            harness.handle(ConnectionEvent::Opened);
        }
        assert_eq!(harness.timer(Timer::Timeout), Some(10_000));
        assert!(harness.expire(Timer::Timeout).contains(&Effect::Disconnect));
        assert!(harness.timer(Timer::Reconnect).is_some());
    }
}

#[test]
fn a_stable_connection_resets_the_failures_and_a_short_one_does_not() {
    for (lived, wait) in [(5_000, 500), (4_999, 8_000)] {
        let mut harness = Harness::new();
        harness.handle(ConnectionEvent::Mounted);
        for _ in 0..4 {
            harness.handle(ConnectionEvent::Closed(1006));
            harness.expire(Timer::Reconnect);
        }
        harness.watch();
        harness.advance(lived);
        harness.handle(ConnectionEvent::Closed(1006));
        assert_eq!(harness.timer(Timer::Reconnect), Some(wait - 1));
    }
}

#[test]
fn after_a_restart_it_reconnects_within_a_second() {
    let mut harness = Harness::live();
    harness.handle(ConnectionEvent::Closed(1012));
    assert_eq!(harness.timer(Timer::Reconnect), Some(999));
}

#[test]
fn repeated_restarts_are_backed_off_from() {
    let mut harness = Harness::live();
    for _ in 0..10 {
        harness.handle(ConnectionEvent::Closed(1012));
        harness.expire(Timer::Reconnect);
    }
    harness.handle(ConnectionEvent::Closed(1012));
    assert_eq!(harness.timer(Timer::Reconnect), Some(9_999));
}

#[test]
fn after_being_too_slow_it_reconnects_soon() {
    let mut harness = Harness::live();
    harness.handle(ConnectionEvent::Closed(1013));
    assert_eq!(harness.timer(Timer::Reconnect), Some(499));
}

#[test]
fn after_a_policy_violation_the_delay_is_long() {
    let mut harness = Harness::live();
    harness.now.random = 0.0;
    harness.handle(ConnectionEvent::Closed(1008));
    assert_eq!(harness.timer(Timer::Reconnect), Some(15_000));
}

#[test]
fn it_reconnects_at_once_when_online_or_visible() {
    for event in [ConnectionEvent::Online, ConnectionEvent::Visible] {
        let mut harness = Harness::live();
        harness.handle(ConnectionEvent::Closed(1006));
        assert!(connects(&harness.handle(event)), "{event:?}");
        assert_eq!(harness.timer(Timer::Reconnect), None);
    }
}

#[test]
fn online_replaces_an_attempt_that_began_without_a_network() {
    let mut harness = Harness::new();
    harness.handle(ConnectionEvent::Mounted);
    assert!(connects(&harness.handle(ConnectionEvent::Online)));
    assert!(
        !connects(&harness.handle(ConnectionEvent::Visible)),
        "one attempt at a time"
    );
}

#[test]
fn a_live_connection_stays_when_the_tab_becomes_visible() {
    let mut harness = Harness::live();
    assert_eq!(harness.handle(ConnectionEvent::Visible), []);
}

#[test]
fn offline_disconnects_and_retries_rarely() {
    let mut harness = Harness::live();
    harness.now.random = 0.0;
    assert!(
        harness
            .handle(ConnectionEvent::Offline)
            .contains(&Effect::Disconnect)
    );
    assert_eq!(harness.connector.phase(), Phase::Offline);
    assert_eq!(harness.timer(Timer::Reconnect), Some(15_000));
    harness.expire(Timer::Reconnect);
    assert_eq!(harness.connector.phase(), Phase::Offline);
    harness.handle(ConnectionEvent::Online);
    assert_eq!(harness.connector.phase(), Phase::Reconnecting);
}

#[test]
fn it_connects_also_when_the_browser_reports_no_network() {
    let mut harness = Harness::live();
    harness.handle(ConnectionEvent::Offline);
    harness.expire(Timer::Reconnect);
    harness.watch();
}

#[test]
fn an_idle_connection_is_probed_and_closed_when_there_is_no_answer() {
    let mut harness = Harness::live();
    harness.advance(20_000);
    let effects = harness.handle(ConnectionEvent::Timer(Timer::Idle));
    assert_eq!(
        effects,
        [Effect::Start(Timer::Idle, 40_000)],
        "a frame arrived meanwhile"
    );
    assert!(watches(&harness.expire(Timer::Idle)));
    assert_eq!(harness.connector.phase(), Phase::Live);
    assert!(harness.expire(Timer::Timeout).contains(&Effect::Disconnect));
    assert_eq!(harness.connector.phase(), Phase::Reconnecting);
}

#[test]
fn an_idle_connection_that_answers_stays() {
    let mut harness = Harness::live();
    harness.advance(60_000);
    harness.handle(ConnectionEvent::Timer(Timer::Idle));
    harness.handle(ConnectionEvent::FrameReceived);
    harness.handle(ConnectionEvent::Watched);
    assert_eq!(harness.timer(Timer::Timeout), None);
    assert_eq!(harness.timer(Timer::Idle), Some(60_000));
    assert_eq!(harness.connector.phase(), Phase::Live);
}

#[test]
fn an_invisible_tab_probes_when_it_becomes_visible() {
    let mut harness = Harness::live();
    harness.handle(ConnectionEvent::Hidden);
    harness.advance(120_000);
    assert!(!watches(
        &harness.handle(ConnectionEvent::Timer(Timer::Idle))
    ));
    assert!(watches(&harness.handle(ConnectionEvent::Visible)));
}

#[test]
fn a_watch_that_is_refused_for_now_is_repeated_on_the_same_socket() {
    let mut harness = Harness::new();
    harness.handle(ConnectionEvent::Mounted);
    harness.handle(ConnectionEvent::Opened);
    for wait in [500, 1_000, 2_000] {
        harness.handle(ConnectionEvent::Refused(RefusalCode::Unavailable));
        assert_eq!(harness.connector.phase(), Phase::Delayed);
        assert_eq!(harness.timer(Timer::Timeout), None);
        assert_eq!(harness.timer(Timer::Reconnect), Some(wait - 1));
        let effects = harness.expire(Timer::Reconnect);
        assert!(watches(&effects) && !connects(&effects));
        assert_eq!(harness.timer(Timer::Timeout), Some(10_000));
    }
    harness.handle(ConnectionEvent::Watched);
    assert_eq!(harness.connector.phase(), Phase::Live);
}

#[test]
fn a_watch_that_breaks_later_is_replaced_by_polling_and_repeated_once_updates_resume() {
    let mut harness = Harness::live();
    assert_eq!(harness.connector.poll_delay(harness.now), None);
    for _ in 0..3 {
        harness.handle(ConnectionEvent::Refused(RefusalCode::Unavailable));
        assert_eq!(harness.connector.phase(), Phase::Delayed);
        harness.expire(Timer::Reconnect);
        assert_eq!(
            harness.connector.phase(),
            Phase::Delayed,
            "also while it is repeated"
        );
        let poll = harness.connector.poll_delay(harness.now).expect("it polls");
        assert!((5_000..11_000).contains(&poll), "{poll}");
    }
    harness.handle(ConnectionEvent::Refused(RefusalCode::Unavailable));
    harness.handle(ConnectionEvent::UpdatesResumed);
    assert_eq!(
        harness.timer(Timer::Reconnect),
        Some(999),
        "spread by a second"
    );
    assert!(watches(&harness.expire(Timer::Reconnect)));
    harness.handle(ConnectionEvent::Watched);
    assert_eq!(harness.connector.phase(), Phase::Live);
    assert_eq!(harness.connector.poll_delay(harness.now), None);
    harness.handle(ConnectionEvent::UpdatesResumed);
    assert_eq!(
        harness.timer(Timer::Reconnect),
        None,
        "a live connection stays as it is"
    );
}

#[test]
fn a_lost_connection_is_not_called_delayed() {
    let mut harness = Harness::live();
    harness.handle(ConnectionEvent::Refused(RefusalCode::Unavailable));
    harness.handle(ConnectionEvent::Closed(1006));
    assert_eq!(harness.connector.phase(), Phase::Reconnecting);
}

#[test]
fn an_upload_that_does_not_exist_ends_all_attempts() {
    for mut harness in [Harness::new(), Harness::live()] {
        harness.handle(ConnectionEvent::Mounted);
        harness.handle(ConnectionEvent::Opened);
        let effects = harness.handle(ConnectionEvent::Refused(RefusalCode::NotFound));
        assert!(effects.contains(&Effect::Disconnect));
        assert_eq!(harness.connector.phase(), Phase::NotFound);
        assert_eq!(harness.timers, []);
        assert_eq!(harness.connector.poll_delay(harness.now), None);
        for event in [
            ConnectionEvent::Closed(1006),
            ConnectionEvent::Online,
            ConnectionEvent::Visible,
            ConnectionEvent::PageHidden,
            ConnectionEvent::PageShown,
            ConnectionEvent::Mounted,
        ] {
            assert_eq!(harness.handle(event), [], "{event:?}");
        }
    }
}

#[test]
fn a_refused_touch_repeats_the_watch_once() {
    let mut harness = Harness::live();
    assert!(watches(
        &harness.handle(ConnectionEvent::Refused(RefusalCode::NotWatched))
    ));
    assert_eq!(
        harness.handle(ConnectionEvent::Refused(RefusalCode::NotWatched)),
        []
    );
}

#[test]
fn leaving_the_document_disconnects_and_the_way_back_connects() {
    let mut harness = Harness::live();
    assert!(
        harness
            .handle(ConnectionEvent::PageHidden)
            .contains(&Effect::Disconnect)
    );
    assert_eq!(harness.timers, []);
    for event in [
        ConnectionEvent::Closed(1001),
        ConnectionEvent::Visible,
        ConnectionEvent::Online,
        ConnectionEvent::Offline,
    ] {
        assert_eq!(harness.handle(event), [], "{event:?}");
    }
    assert!(connects(&harness.handle(ConnectionEvent::PageShown)));
    assert_eq!(harness.handle(ConnectionEvent::PageShown), []);
}

#[test]
fn after_three_failures_it_polls_until_it_is_live() {
    let mut harness = Harness::new();
    harness.handle(ConnectionEvent::Mounted);
    for failures in 0..3 {
        assert_eq!(
            harness.connector.poll_delay(harness.now),
            None,
            "after {failures}"
        );
        harness.handle(ConnectionEvent::Closed(1006));
        harness.expire(Timer::Reconnect);
    }
    let delay = harness.connector.poll_delay(harness.now).unwrap();
    assert!((10_000..20_000).contains(&delay), "{delay}");
    harness.watch();
    assert_eq!(harness.connector.poll_delay(harness.now), None);
}

#[test]
fn the_next_page_uses_the_socket_of_the_page_before() {
    let mut harness = Harness::live();
    let effects = harness.handle(ConnectionEvent::Unmounted);
    assert!(matches!(
        effects[0],
        Effect::Send(ClientCommand::Unwatch { .. })
    ));
    assert_eq!(effects.last(), Some(&Effect::Release));
    assert_eq!(harness.timers, []);
    let effects = harness.handle(ConnectionEvent::Mounted);
    assert!(effects.contains(&Effect::Connect));
    let effects = harness.handle(ConnectionEvent::Unmounted);
    assert_eq!(effects.last(), Some(&Effect::Disconnect));
}
