use super::super::effect::{Effect, Timer};
use super::super::failure::ApiFailure;
use super::super::line::LineEvent;
use super::super::machine::Input;
use super::super::{Connection, Delivery, History};
use super::fixture::{message, page, upload_id};
use super::rig::*;
use crate::event::ServerEvent;
use crate::model::{MessagePage, Seq, UploadId};

#[test]
fn a_posted_message_is_listed_without_a_fetch() {
    let mut machine = live();
    assert_eq!(frame(&mut machine, posted(message(4))), []);
    assert_eq!(texts(&machine).last().unwrap(), "text 4");
    assert_eq!(machine.take_changes(), (true, false));
}

#[test]
fn a_jump_fetches_what_is_missing_once() {
    let mut machine = live();
    let patience = [Effect::Start(Timer::Refetch, 250)];
    assert_eq!(frame(&mut machine, posted(message(6))), patience);
    assert_eq!(
        line(&mut machine, LineEvent::Timer(Timer::Refetch)),
        [Effect::FetchAfter(Seq::new(3))]
    );
    assert_eq!(frame(&mut machine, posted(message(7))), []);
    assert_eq!(texts(&machine).len(), 3, "never a hole");
    assert_eq!(give(&mut machine, Input::Fetched(Ok(page(4..=6, 6)))), []);
    assert_eq!(texts(&machine).len(), 7);
}

#[test]
fn the_beacon_shows_a_lost_tail() {
    let mut machine = live();
    let beacon = |head| ServerEvent::HeadAdvanced {
        upload_id: upload_id(),
        head: Seq::new(head),
    };
    assert_eq!(frame(&mut machine, beacon(3)), []);
    assert_eq!(
        frame(&mut machine, beacon(5)),
        [Effect::Start(Timer::Refetch, 250)]
    );
    assert_eq!(
        line(&mut machine, LineEvent::Timer(Timer::Refetch)),
        [Effect::FetchAfter(Seq::new(3))]
    );
}

#[test]
fn what_frames_bring_meanwhile_is_not_fetched() {
    let mut machine = live();
    for _ in 0..2 {
        let next = texts(&machine).len() as u64 + 1;
        let effects = frame(&mut machine, posted(message(next + 1)));
        assert_eq!(effects, [Effect::Start(Timer::Refetch, 250)]);
        assert_eq!(frame(&mut machine, posted(message(next))), []);
        let effects = line(&mut machine, LineEvent::Timer(Timer::Refetch));
        assert_eq!(effects, []);
        assert_eq!(texts(&machine).len() as u64, next + 1);
    }
}

#[test]
fn pages_are_fetched_until_the_conversation_is_whole() {
    let mut machine = live();
    let effects = reconnect(&mut machine, 500);
    assert!(effects.contains(&Effect::FetchAfter(Seq::new(3))));
    assert_eq!(machine.connection(), Connection::Reconnecting);
    let effects = give(&mut machine, Input::Fetched(Ok(page(4..=203, 500))));
    assert_eq!(effects, [Effect::FetchAfter(Seq::new(203))]);
    give(&mut machine, Input::Fetched(Ok(page(204..=403, 500))));
    give(&mut machine, Input::Fetched(Ok(page(404..=500, 500))));
    assert_eq!(machine.connection(), Connection::CaughtUp { missed: 497 });
    line(&mut machine, LineEvent::Timer(Timer::Settle));
    assert_eq!(machine.connection(), Connection::Live);
}

#[test]
fn what_the_node_has_at_hand_needs_no_fetch() {
    let mut machine = live();
    line(&mut machine, LineEvent::Closed(1006));
    line(&mut machine, LineEvent::Timer(Timer::Reconnect));
    line(&mut machine, LineEvent::Opened);
    let event = ServerEvent::Watched {
        upload_id: upload_id(),
        head: Seq::new(5),
        messages: vec![message(4), message(5)],
    };
    let effects = frame(&mut machine, event);
    assert!(!effects.iter().any(|it| matches!(it, Effect::FetchAfter(_))));
    assert_eq!(machine.connection(), Connection::CaughtUp { missed: 2 });
}

#[test]
fn when_nothing_was_missed_it_is_simply_live_again() {
    let mut machine = live();
    reconnect(&mut machine, 3);
    assert_eq!(machine.connection(), Connection::Live);
}

#[test]
fn ones_own_messages_are_not_missed() {
    let mut machine = live();
    send(&mut machine, "a");
    reconnect(&mut machine, 4);
    give(
        &mut machine,
        Input::Fetched(Ok(MessagePage {
            messages: vec![own("a", 4)],
            head: Seq::new(4),
        })),
    );
    assert_eq!(machine.connection(), Connection::Live);
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
}

#[test]
fn a_failed_fetch_is_tried_again_after_a_rest() {
    let mut machine = live();
    frame(&mut machine, posted(message(5)));
    line(&mut machine, LineEvent::Timer(Timer::Refetch));
    let effects = give(&mut machine, Input::Fetched(Err(ApiFailure::Unreachable)));
    assert_eq!(effects, [Effect::Start(Timer::Refetch, 250)]);
    assert_eq!(frame(&mut machine, posted(message(6))), []);
    let effects = line(&mut machine, LineEvent::Timer(Timer::Refetch));
    assert_eq!(effects, [Effect::FetchAfter(Seq::new(3))]);
}

#[test]
fn a_fetch_that_brings_nothing_does_not_spin() {
    let mut machine = live();
    frame(&mut machine, posted(message(5)));
    let effects = give(&mut machine, Input::Fetched(Ok(MessagePage::default())));
    assert_eq!(effects, [Effect::Start(Timer::Refetch, 250)]);
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
    assert_eq!(machine.history(), History::More);
    assert_eq!(
        give(&mut machine, Input::LoadOlder),
        [Effect::FetchBefore(Seq::new(101))]
    );
    assert_eq!(machine.history(), History::Loading);
    assert_eq!(give(&mut machine, Input::LoadOlder), []);
    give(
        &mut machine,
        Input::FetchedOlder(Err(ApiFailure::Unreachable)),
    );
    assert_eq!(machine.history(), History::Failed);
    assert_eq!(
        give(&mut machine, Input::LoadOlder),
        [Effect::FetchBefore(Seq::new(101))]
    );
    give(&mut machine, Input::FetchedOlder(Ok(page(51..=100, 150))));
    assert_eq!(machine.history(), History::More);
    give(&mut machine, Input::LoadOlder);
    give(&mut machine, Input::FetchedOlder(Ok(page(1..=50, 150))));
    assert_eq!(machine.history(), History::Complete);
    assert_eq!(give(&mut machine, Input::LoadOlder), []);
    assert_eq!(texts(&machine).len(), 150);
}
#[test]
fn offline_and_back_tells_how_many_were_missed() {
    let mut machine = live();
    line(&mut machine, LineEvent::Offline);
    assert_eq!(machine.connection(), Connection::Offline);
    line(&mut machine, LineEvent::Online);
    line(&mut machine, LineEvent::Opened);
    frame(&mut machine, watched(8));
    give(&mut machine, Input::Fetched(Ok(page(4..=8, 8))));
    assert_eq!(machine.connection(), Connection::CaughtUp { missed: 5 });
    reconnect(&mut machine, 8);
    assert_eq!(
        machine.connection(),
        Connection::Live,
        "each gap counts for itself"
    );
}

#[test]
fn without_a_socket_messages_are_polled_for() {
    let mut machine = live();
    let mut started = 0;
    for _ in 0..6 {
        let effects = line(&mut machine, LineEvent::Closed(1006));
        started += effects
            .iter()
            .filter(|it| matches!(it, Effect::Start(Timer::Poll, _)))
            .count();
        line(&mut machine, LineEvent::Timer(Timer::Reconnect));
    }
    assert_eq!(started, 1);
    let effects = line(&mut machine, LineEvent::Timer(Timer::Poll));
    assert!(effects.contains(&Effect::FetchAfter(Seq::new(3))));
    assert!(
        effects
            .iter()
            .any(|it| matches!(it, Effect::Start(Timer::Poll, _)))
    );
    give(&mut machine, Input::Fetched(Ok(page(4..=4, 4))));
    assert_eq!(texts(&machine).len(), 4);
    line(&mut machine, LineEvent::Opened);
    assert!(frame(&mut machine, watched(4)).contains(&Effect::Stop(Timer::Poll)));
}
