use std::num::NonZeroU32;

use super::super::connection::ConnectionEvent;
use super::super::effect::{Effect, Timer};
use super::super::failure::ApiFailure;
use super::super::machine::Input;
use super::super::{Delivery, ListedMessage};
use super::fixture::{key, message, page, unsent, upload_id};
use super::harness::*;
use crate::event::ServerEvent;
use crate::model::{LogPage, Message, Point, Seq};

#[test]
fn a_message_is_sending_at_once_and_sent_when_answered() {
    let mut machine = live();
    let effects = send(&mut machine, "a");
    assert_eq!(posts(&effects), ["a"]);
    assert_eq!(delivery(&machine, "a"), Delivery::Sending);
    give(
        &mut machine,
        Input::PostAnswered(key("a"), Ok(own("a", 4).into())),
    );
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    frame(&mut machine, posted(own("a", 4)));
    assert_eq!(texts(&machine).len(), 4);
}

#[test]
fn a_message_that_arrives_before_the_answer_is_listed_once() {
    let mut machine = live();
    send(&mut machine, "a");
    frame(&mut machine, posted(own("a", 4)));
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    give(
        &mut machine,
        Input::PostAnswered(key("a"), Ok(own("a", 4).into())),
    );
    assert_eq!(texts(&machine).len(), 4);
}

#[test]
fn a_sent_message_behind_a_gap_stays_listed_last_until_the_gap_is_filled() {
    let mut machine = live();
    send(&mut machine, "a");
    let effects = give(
        &mut machine,
        Input::PostAnswered(key("a"), Ok(own("a", 6).into())),
    );
    assert_eq!(effects, [Effect::Start(Timer::Backfill, 250)]);
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    give(&mut machine, Input::Fetched(Ok(page(4..=5, 6))));
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    assert_eq!(texts(&machine)[3..], ["text 4", "text 5", "text of a"]);
}

#[test]
fn a_message_that_timed_out_but_was_stored_is_sent_once_it_is_listed() {
    let mut machine = live();
    send(&mut machine, "a");
    give(
        &mut machine,
        Input::PostAnswered(key("a"), Err(ApiFailure::TimedOut)),
    );
    assert!(matches!(delivery(&machine, "a"), Delivery::Waiting { .. }));
    frame(&mut machine, posted(own("a", 4)));
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    assert_eq!(texts(&machine).len(), 4);
}

#[test]
fn a_failed_post_is_repeated_with_the_same_id() {
    let mut machine = live();
    send(&mut machine, "a");
    let lost = Input::PostAnswered(key("a"), Err(ApiFailure::Unreachable));
    let effects = give(&mut machine, lost.clone());
    assert_eq!(effects, [Effect::Start(Timer::Post, 1_250)]);
    let note = "Waiting for the connection".to_owned();
    assert_eq!(delivery(&machine, "a"), Delivery::Waiting { note });
    let effects = give(&mut machine, Input::Timer(Timer::Post));
    assert_eq!(posts(&effects), ["a"]);
    give(&mut machine, lost);
    // The server is back.
    let effects = frame(&mut machine, watched(3));
    assert_eq!(posts(&effects), ["a"]);
}

#[test]
fn when_trying_has_ended_the_reader_may_try_again() {
    let mut machine = live();
    send(&mut machine, "a");
    let busy = ApiFailure::Busy {
        status: 429,
        retry_after: Some(3_600),
    };
    give(&mut machine, Input::PostAnswered(key("a"), Err(busy)));
    assert!(matches!(
        delivery(&machine, "a"),
        Delivery::Failed { retry: true, .. }
    ));
    let effects = give(&mut machine, Input::Retry(key("a")));
    assert_eq!(posts(&effects), ["a"]);
    assert_eq!(delivery(&machine, "a"), Delivery::Sending);
}

#[test]
fn what_waits_is_posted_once_the_server_is_back_unless_it_is_stored() {
    let mut machine = live();
    for name in ["c", "a"] {
        send(&mut machine, name);
    }
    let timed_out = Input::PostAnswered(key("c"), Err(ApiFailure::TimedOut));
    give(&mut machine, timed_out);
    // The one that timed out had been stored.
    let again = ServerEvent::Watched {
        upload_id: upload_id(),
        head: Seq::new(4),
        entries: vec![own("c", 4).into()],
        reset: false,
    };
    let effects = frame(&mut machine, again);
    assert_eq!(posts(&effects), ["a"]);
    assert_eq!(delivery(&machine, "c"), Delivery::Sent);
}

#[test]
fn a_permanent_failure_returns_its_text() {
    let mut machine = live();
    send(&mut machine, "a");
    give(
        &mut machine,
        Input::PostAnswered(key("a"), Err(ApiFailure::Unexplained(422))),
    );
    assert!(matches!(
        delivery(&machine, "a"),
        Delivery::Failed { retry: false, .. }
    ));
    assert_eq!(
        machine.withdraw(&key("a")).unwrap().content.as_str(),
        "text of a"
    );
    assert_eq!(texts(&machine).len(), 3);
}

#[test]
fn the_next_message_is_posted_when_the_one_before_is_answered() {
    let mut machine = live();
    send(&mut machine, "a");
    assert_eq!(posts(&send(&mut machine, "b")), Vec::<&str>::new());
    let refused = Input::PostAnswered(key("a"), Err(ApiFailure::Unexplained(422)));
    let effects = give(&mut machine, refused);
    assert_eq!(posts(&effects), ["b"]);
}

#[test]
fn messages_from_before_a_reload_are_own_ones_by_their_tag() {
    let machine = machine(LogPage {
        entries: vec![own("a", 1).into(), message(2).into()],
        head: Seq::new(2),
    });
    let mine = entries(&machine).into_iter().map(|entry| entry.mine);
    assert_eq!(mine.collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_place_is_posted_and_listed_with_its_number() {
    let mut machine = live();
    let at = Some(Point::new(0.25, 0.5).unwrap());
    assert!(machine.send(ListedMessage { at, ..unsent("a") }));
    let effects = machine.take_effects();
    assert!(matches!(&effects[..], [Effect::Post(new)] if new.at == at));
    let pin = NonZeroU32::new(3);
    let stored = Message {
        at,
        pin,
        ..own("a", 4)
    };
    frame(&mut machine, posted(stored));
    let entry = entries(&machine).pop().unwrap();
    assert_eq!((entry.at, entry.pin), (at, pin));
}

#[test]
fn messages_of_the_last_document_wait_for_the_connection_unless_they_are_listed() {
    let mut page = page(1..=3, 4);
    page.entries.push(own("a", 4).into());
    let mut machine = machine(page);
    machine.restore(["a", "b", "c", "d"].into_iter().map(unsent));
    let effects = machine.take_effects();
    assert_eq!(effects, [Effect::Start(Timer::Post, 5_000)]);
    assert_eq!(texts(&machine)[3..].len(), 4);
    assert!(matches!(delivery(&machine, "b"), Delivery::Waiting { .. }));
    connection(&mut machine, ConnectionEvent::Mounted);
    connection(&mut machine, ConnectionEvent::Opened);
    // Another one was stored meanwhile, or by a copy of the tab.
    let watched = ServerEvent::Watched {
        upload_id: upload_id(),
        head: Seq::new(5),
        entries: vec![own("b", 5).into()],
        reset: false,
    };
    let effects = frame(&mut machine, watched);
    assert_eq!(posts(&effects), ["c"]);
    frame(&mut machine, posted(own("d", 6)));
    let effects = give(
        &mut machine,
        Input::PostAnswered(key("c"), Ok(own("c", 7).into())),
    );
    assert_eq!(posts(&effects), Vec::<&str>::new());
    assert!(!machine.has_unsent());
    assert_eq!(texts(&machine).len(), 7);
}

#[test]
fn a_page_that_was_left_posts_what_is_unsent_and_fetches_nothing() {
    let mut machine = live();
    send(&mut machine, "a");
    send(&mut machine, "b");
    connection(&mut machine, ConnectionEvent::Unmounted);
    let stored = Input::PostAnswered(key("a"), Ok(own("a", 6).into()));
    let effects = give(&mut machine, stored);
    assert_eq!(posts(&effects), ["b"]);
    assert_eq!(effects.len(), 1, "and nothing else");
    let stored = Input::PostAnswered(key("b"), Ok(own("b", 7).into()));
    assert_eq!(give(&mut machine, stored), []);
    assert!(!machine.has_unsent());
}

#[test]
fn without_a_connection_messages_of_the_last_document_are_posted_after_a_while() {
    let mut machine = machine(page(1..=3, 3));
    machine.restore([unsent("a")].into_iter());
    let effects = give(&mut machine, Input::Timer(Timer::Post));
    assert_eq!(posts(&effects), ["a"]);
}
