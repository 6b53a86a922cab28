use super::super::connection::ConnectionEvent;
use super::super::effect::{Effect, Timer};
use super::super::failure::ApiFailure;
use super::super::machine::Input;
use super::super::{Connection, Delivery, OlderMessages};
use super::fixture::{key, message, page, upload_id};
use super::harness::*;
use crate::event::{CommandName, Refusal, RefusalCode, ServerEvent};
use crate::model::{LogPage, Seq, UploadId};

#[test]
fn a_posted_message_is_listed_without_a_fetch() {
    let mut machine = live();
    assert_eq!(frame(&mut machine, posted(message(4))), []);
    assert_eq!(texts(&machine).last().unwrap(), "text 4");
    let changes = machine.take_changes();
    assert!(changes.entries && !changes.ripples);
}

#[test]
fn a_gap_is_fetched_once() {
    let mut machine = live();
    let grace = [Effect::Start(Timer::Backfill, 250)];
    assert_eq!(frame(&mut machine, posted(message(6))), grace);
    assert_eq!(
        give(&mut machine, Input::Timer(Timer::Backfill)),
        [Effect::FetchFrom(Seq::new(3))]
    );
    assert_eq!(frame(&mut machine, posted(message(7))), []);
    assert_eq!(texts(&machine).len(), 3, "never a gap");
    assert_eq!(give(&mut machine, Input::Fetched(Ok(page(4..=6, 6)))), []);
    assert_eq!(texts(&machine).len(), 7);
}

#[test]
fn an_announced_head_shows_missing_messages() {
    let mut machine = live();
    let head_advanced = |head| ServerEvent::HeadAdvanced {
        upload_id: upload_id(),
        head: Seq::new(head),
    };
    assert_eq!(frame(&mut machine, head_advanced(3)), []);
    assert_eq!(
        frame(&mut machine, head_advanced(5)),
        [Effect::Start(Timer::Backfill, 250)]
    );
    assert_eq!(
        give(&mut machine, Input::Timer(Timer::Backfill)),
        [Effect::FetchFrom(Seq::new(3))]
    );
}

#[test]
fn messages_that_arrive_in_the_grace_period_are_not_fetched() {
    let mut machine = live();
    for _ in 0..2 {
        let next = texts(&machine).len() as u64 + 1;
        let effects = frame(&mut machine, posted(message(next + 1)));
        assert_eq!(effects, [Effect::Start(Timer::Backfill, 250)]);
        assert_eq!(frame(&mut machine, posted(message(next))), []);
        let effects = give(&mut machine, Input::Timer(Timer::Backfill));
        assert_eq!(effects, []);
        assert_eq!(texts(&machine).len() as u64, next + 1);
    }
}

#[test]
fn what_one_request_brings_is_fetched_whole() {
    let mut machine = live();
    let effects = reconnect(&mut machine, 202);
    assert!(effects.contains(&Effect::FetchFrom(Seq::new(3))));
    assert_eq!(machine.connection(), Connection::Reconnecting);
    give(&mut machine, Input::Fetched(Ok(page(3..=202, 202))));
    assert_eq!(machine.connection(), Connection::CaughtUp { missed: 199 });
    assert_eq!(texts(&machine).len(), 202);
    give(&mut machine, Input::Timer(Timer::HideCaughtUp));
    assert_eq!(machine.connection(), Connection::Live);
}

#[test]
fn after_ten_thousand_missed_messages_the_newest_are_listed_and_older_ones_can_be_loaded() {
    let mut machine = live();
    let effects = reconnect(&mut machine, 10_003);
    assert!(effects.contains(&Effect::FetchNewest));
    let newest = Input::FetchedNewest(Ok(page(9_954..=10_003, 10_003)));
    assert_eq!(
        give(&mut machine, newest),
        [Effect::Start(Timer::HideCaughtUp, 6_000)]
    );
    assert_eq!(
        machine.connection(),
        Connection::CaughtUp { missed: 10_000 }
    );
    assert_eq!(texts(&machine).len(), 50);
    assert_eq!(machine.older(), OlderMessages::More);
    assert_eq!(
        give(&mut machine, Input::LoadOlder),
        [Effect::FetchUpTo(Seq::new(9_954))]
    );
    give(
        &mut machine,
        Input::FetchedOlder(Ok(page(9_904..=9_954, 10_003))),
    );
    assert_eq!(machine.listed().0, Seq::new(9_904));
}

#[test]
fn what_is_posted_while_the_newest_are_fetched_is_listed_after_them() {
    let mut machine = live();
    reconnect(&mut machine, 10_000);
    frame(&mut machine, posted(message(10_001)));
    let newest = Input::FetchedNewest(Ok(page(9_951..=10_000, 10_000)));
    give(&mut machine, newest);
    assert_eq!(texts(&machine).last().unwrap(), "text 10001");
    assert_eq!(texts(&machine).len(), 51);
}

#[test]
fn newest_messages_that_connect_to_the_list_are_added_to_it() {
    let mut machine = live();
    reconnect(&mut machine, 300);
    give(&mut machine, Input::FetchedNewest(Ok(page(1..=40, 300))));
    assert_eq!(machine.listed().0, Seq::new(1));
    assert_eq!(texts(&machine).len(), 40);
}

#[test]
fn a_failed_fetch_of_the_newest_keeps_the_list_and_is_repeated() {
    let mut machine = live();
    reconnect(&mut machine, 10_000);
    let lost = Input::FetchedNewest(Err(ApiFailure::Unreachable));
    assert_eq!(
        give(&mut machine, lost),
        [Effect::Start(Timer::Backfill, 250)]
    );
    assert_eq!(texts(&machine).len(), 3);
    let effects = give(&mut machine, Input::Timer(Timer::Backfill));
    assert_eq!(effects, [Effect::FetchNewest]);
}

#[test]
fn an_own_message_among_the_skipped_ones_is_not_listed_as_unsent() {
    let mut machine = live();
    send(&mut machine, "a");
    reconnect(&mut machine, 10_000);
    give(
        &mut machine,
        Input::PostAnswered(key("a"), Ok(own("a", 5_000).into())),
    );
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    let newest = Input::FetchedNewest(Ok(page(9_951..=10_000, 10_000)));
    give(&mut machine, newest);
    assert!(machine.unsent().is_empty());
    assert_eq!(texts(&machine).len(), 50);
}

#[test]
fn an_upload_that_does_not_exist_is_not_fetched_any_more() {
    let mut machine = live();
    let refused = ServerEvent::Refused(Refusal {
        command: CommandName::Watch,
        upload_id: upload_id().to_string(),
        code: RefusalCode::NotFound,
        detail: String::new(),
    });
    frame(&mut machine, posted(message(9)));
    frame(&mut machine, refused);
    assert_eq!(machine.connection(), Connection::NotFound);
    assert_eq!(give(&mut machine, Input::Timer(Timer::Backfill)), []);
}

#[test]
fn refusals_of_other_uploads_are_ignored() {
    let mut machine = live();
    let refused = ServerEvent::Refused(Refusal {
        command: CommandName::Watch,
        upload_id: UploadId::from_bytes([8; 12]).to_string(),
        code: RefusalCode::NotFound,
        detail: String::new(),
    });
    assert_eq!(frame(&mut machine, refused), []);
    assert_eq!(machine.connection(), Connection::Live);
}

#[test]
fn messages_in_watched_are_not_fetched() {
    let mut machine = live();
    connection(&mut machine, ConnectionEvent::Closed(1006));
    give(&mut machine, Input::Timer(Timer::Reconnect));
    connection(&mut machine, ConnectionEvent::Opened);
    let event = ServerEvent::Watched {
        upload_id: upload_id(),
        head: Seq::new(5),
        entries: vec![message(4).into(), message(5).into()],
        reset: false,
    };
    let effects = frame(&mut machine, event);
    assert!(!effects.iter().any(|it| matches!(it, Effect::FetchFrom(_))));
    assert_eq!(machine.connection(), Connection::CaughtUp { missed: 2 });
}

#[test]
fn when_nothing_was_missed_it_is_live_again() {
    let mut machine = live();
    reconnect(&mut machine, 3);
    assert_eq!(machine.connection(), Connection::Live);
}

#[test]
fn own_messages_do_not_count_as_missed() {
    let mut machine = live();
    send(&mut machine, "a");
    reconnect(&mut machine, 4);
    give(
        &mut machine,
        Input::Fetched(Ok(LogPage {
            entries: vec![own("a", 4).into()],
            head: Seq::new(4),
        })),
    );
    assert_eq!(machine.connection(), Connection::Live);
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
}

#[test]
fn a_failed_fetch_is_repeated_after_a_delay() {
    let mut machine = live();
    frame(&mut machine, posted(message(5)));
    give(&mut machine, Input::Timer(Timer::Backfill));
    let effects = give(&mut machine, Input::Fetched(Err(ApiFailure::Unreachable)));
    assert_eq!(effects, [Effect::Start(Timer::Backfill, 250)]);
    assert_eq!(frame(&mut machine, posted(message(6))), []);
    let effects = give(&mut machine, Input::Timer(Timer::Backfill));
    assert_eq!(effects, [Effect::FetchFrom(Seq::new(3))]);
}

#[test]
fn a_fetch_that_brings_nothing_is_repeated_after_a_delay() {
    let mut machine = live();
    frame(&mut machine, posted(message(5)));
    let nothing = LogPage {
        entries: Vec::new(),
        head: Seq::new(5),
    };
    let effects = give(&mut machine, Input::Fetched(Ok(nothing)));
    assert_eq!(effects, [Effect::Start(Timer::Backfill, 250)]);
}

#[test]
fn events_of_other_uploads_and_later_versions_are_ignored() {
    let mut machine = live();
    let other = UploadId::from_bytes([8; 12]);
    frame(
        &mut machine,
        ServerEvent::MessagePosted {
            upload_id: other,
            message: message(4),
        },
    );
    frame(
        &mut machine,
        ServerEvent::HeadAdvanced {
            upload_id: other,
            head: Seq::new(9),
        },
    );
    assert_eq!(give(&mut machine, Input::Frame(None)), []);
    assert_eq!(texts(&machine).len(), 3);
}

#[test]
fn older_messages_are_loaded_before_the_first() {
    let mut machine = machine(page(101..=150, 150));
    assert_eq!(machine.older(), OlderMessages::More);
    assert_eq!(
        give(&mut machine, Input::LoadOlder),
        [Effect::FetchUpTo(Seq::new(101))]
    );
    assert_eq!(machine.older(), OlderMessages::Loading);
    assert_eq!(give(&mut machine, Input::LoadOlder), []);
    give(
        &mut machine,
        Input::FetchedOlder(Err(ApiFailure::Unreachable)),
    );
    assert_eq!(machine.older(), OlderMessages::Failed);
    assert_eq!(
        give(&mut machine, Input::LoadOlder),
        [Effect::FetchUpTo(Seq::new(101))]
    );
    give(&mut machine, Input::FetchedOlder(Ok(page(51..=101, 150))));
    assert_eq!(machine.older(), OlderMessages::More);
    give(&mut machine, Input::LoadOlder);
    give(&mut machine, Input::FetchedOlder(Ok(page(1..=51, 150))));
    assert_eq!(machine.older(), OlderMessages::Complete);
    assert_eq!(give(&mut machine, Input::LoadOlder), []);
    assert_eq!(texts(&machine).len(), 150);
}

#[test]
fn back_online_the_missed_messages_are_counted() {
    let mut machine = live();
    connection(&mut machine, ConnectionEvent::Offline);
    assert_eq!(machine.connection(), Connection::Offline);
    connection(&mut machine, ConnectionEvent::Online);
    connection(&mut machine, ConnectionEvent::Opened);
    frame(&mut machine, watched(8));
    give(&mut machine, Input::Fetched(Ok(page(4..=8, 8))));
    assert_eq!(machine.connection(), Connection::CaughtUp { missed: 5 });
    reconnect(&mut machine, 8);
    assert_eq!(
        machine.connection(),
        Connection::Live,
        "each interruption counts for itself"
    );
}

#[test]
fn without_a_socket_messages_are_polled() {
    let mut machine = live();
    let mut started = 0;
    for _ in 0..6 {
        let effects = connection(&mut machine, ConnectionEvent::Closed(1006));
        started += effects
            .iter()
            .filter(|it| matches!(it, Effect::Start(Timer::Poll, _)))
            .count();
        give(&mut machine, Input::Timer(Timer::Reconnect));
    }
    assert_eq!(started, 1);
    let effects = give(&mut machine, Input::Timer(Timer::Poll));
    assert!(effects.contains(&Effect::FetchFrom(Seq::new(3))));
    assert!(
        effects
            .iter()
            .any(|it| matches!(it, Effect::Start(Timer::Poll, _)))
    );
    give(&mut machine, Input::Fetched(Ok(page(4..=4, 4))));
    assert_eq!(texts(&machine).len(), 4);
    connection(&mut machine, ConnectionEvent::Opened);
    assert!(frame(&mut machine, watched(4)).contains(&Effect::Stop(Timer::Poll)));
}
