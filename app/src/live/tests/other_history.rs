use super::super::connection::ConnectionEvent;
use super::super::effect::{Effect, Timer};
use super::super::machine::Input;
use super::super::{Connection, Delivery, OlderMessages};
use super::fixture::{deletion, key, message, page, upload_id};
use super::harness::*;
use crate::event::ServerEvent;
use crate::model::{LogEntry, LogPage, Message, Seq};

/// The answer to a watch of a client whose last message the server does not have.
fn reset(messages: Vec<Message>, head: u64) -> ServerEvent {
    ServerEvent::Watched {
        upload_id: upload_id(),
        head: Seq::new(head),
        entries: messages.into_iter().map(Into::into).collect(),
        reset: true,
    }
}

#[test]
fn after_a_reset_the_list_starts_anew_and_unsent_messages_are_posted_to_it() {
    let mut machine = live();
    send(&mut machine, "a");
    let stored = Input::PostAnswered(key("a"), Ok(own("a", 5).into()));
    give(&mut machine, stored);
    send(&mut machine, "b");
    assert_eq!(delivery(&machine, "a"), Delivery::Sent, "behind a gap");
    let effects = frame(&mut machine, reset(vec![own("c", 1), own("d", 2)], 2));
    assert!(machine.take_changes().restarted);
    assert!(!machine.take_changes().restarted);
    let expected = ["text of c", "text of d", "text of a", "text of b"];
    assert_eq!(texts(&machine), expected);
    assert_eq!(machine.connection(), Connection::Live);
    assert_eq!(posts(&effects), Vec::<&str>::new(), "one is under way");

    // The post under way was answered before the restore, so it is repeated after the other one.
    let effects = give(
        &mut machine,
        Input::PostAnswered(key("b"), Ok(own("b", 6).into())),
    );
    assert_eq!(posts(&effects), ["a"]);
    let effects = give(
        &mut machine,
        Input::PostAnswered(key("a"), Ok(own("a", 3).into())),
    );
    assert_eq!(posts(&effects), ["b"]);
    give(
        &mut machine,
        Input::PostAnswered(key("b"), Ok(own("b", 4).into())),
    );
    for (name, seq) in [("a", 3), ("b", 4)] {
        frame(&mut machine, posted(own(name, seq)));
    }
    assert!(machine.unsent().is_empty());
    assert_eq!(texts(&machine), expected);
}

#[test]
fn answers_from_before_a_reset_are_ignored() {
    let mut machine = machine(page(101..=150, 150));
    connect(&mut machine, 150);
    give(&mut machine, Input::LoadOlder);
    let effects = reconnect(&mut machine, 160);
    assert!(effects.contains(&Effect::FetchFrom(Seq::new(150))));
    let newest = (1..=3).map(|seq| own(&format!("again-{seq}"), seq));
    frame(&mut machine, reset(newest.collect(), 3));
    give(&mut machine, Input::Fetched(Ok(page(4..=160, 160))));
    give(&mut machine, Input::FetchedOlder(Ok(page(51..=101, 150))));
    assert_eq!(texts(&machine).len(), 3);
    assert_eq!(machine.older(), OlderMessages::Complete);
    frame(&mut machine, posted(message(4)));
    assert_eq!(texts(&machine).len(), 4);
}

#[test]
fn older_messages_are_listed_with_their_deletions_only() {
    let mut machine = machine(page(101..=150, 150));
    connect(&mut machine, 150);
    give(&mut machine, Input::LoadOlder);
    // The entry 151 deletes one of them. A restore may lose it, and nothing would show that.
    let mut older = page(51..=101, 151);
    older.entries[9] = older.entries[9].clone().after(&deletion(151, 60));
    let answer = Input::FetchedOlder(Ok(older));
    give(&mut machine, answer.clone());
    assert_eq!(machine.listed().0, Seq::new(101));
    assert_eq!(machine.older(), OlderMessages::Loading);
    assert_eq!(
        give(&mut machine, Input::Timer(Timer::Backfill)),
        [Effect::FetchFrom(Seq::new(150))]
    );
    let mut fetched = page(150..=150, 151);
    fetched.entries.push(LogEntry::Deletion(deletion(151, 60)));
    let effects = give(&mut machine, Input::Fetched(Ok(fetched)));
    assert_eq!(effects, [Effect::FetchUpTo(Seq::new(101))]);
    give(&mut machine, answer);
    assert_eq!(machine.listed().0, Seq::new(51));
    assert_eq!(machine.older(), OlderMessages::More);
}

#[test]
fn older_messages_that_are_all_there_are_listed_whatever_is_missing_after_the_list() {
    let mut machine = machine(page(101..=150, 150));
    connect(&mut machine, 150);
    give(&mut machine, Input::LoadOlder);
    give(&mut machine, Input::FetchedOlder(Ok(page(51..=101, 160))));
    assert_eq!(machine.listed().0, Seq::new(51));
}

#[test]
fn a_frame_that_contradicts_the_list_starts_it_anew() {
    let mut machine = live();
    let last = machine.listed().1.len() as u64;
    frame(&mut machine, posted(message(last)));
    assert!(!machine.take_changes().restarted, "it came twice");
    let other = page(1..=3, last);
    let effects = frame(&mut machine, posted(own("again", last)));
    assert_eq!(effects, [Effect::FetchNewest]);
    give(&mut machine, Input::FetchedNewest(Ok(other)));
    assert!(machine.take_changes().restarted);
}

#[test]
fn a_fetch_that_shows_another_history_starts_the_list_anew() {
    let mut machine = live();
    frame(&mut machine, posted(message(6)));
    give(&mut machine, Input::Timer(Timer::Backfill));
    let others = (3..=6).map(|seq| own(&format!("again-{seq}"), seq));
    let contradicting = LogPage {
        entries: others.map(Into::into).collect(),
        head: Seq::new(6),
    };
    let effects = give(&mut machine, Input::Fetched(Ok(contradicting.clone())));
    assert_eq!(effects, [Effect::FetchNewest]);
    assert_eq!(texts(&machine).len(), 3, "nothing of it is listed");
    give(&mut machine, Input::FetchedNewest(Ok(contradicting)));
    assert!(machine.take_changes().restarted);
    assert_eq!(machine.listed().0, Seq::new(3));
    assert_eq!(texts(&machine)[0], "text of again-3");
}

#[test]
fn what_is_behind_a_gap_is_dropped_when_watching_again() {
    let mut machine = live();
    frame(&mut machine, posted(message(5)));
    reconnect(&mut machine, 4);
    let again = (4..=5).map(|seq| own(&format!("again-{seq}"), seq));
    let mut entries = page(3..=3, 5).entries;
    entries.extend(again.map(Into::into));
    let head = Seq::new(5);
    give(&mut machine, Input::Fetched(Ok(LogPage { entries, head })));
    assert_eq!(texts(&machine)[3..], ["text of again-4", "text of again-5"]);
}

#[test]
fn what_is_posted_before_the_answer_to_the_watch_is_not_listed_with_another_history() {
    let mut machine = live();
    connection(&mut machine, ConnectionEvent::Closed(1006));
    give(&mut machine, Input::Timer(Timer::Reconnect));
    connection(&mut machine, ConnectionEvent::Opened);
    frame(&mut machine, posted(own("again-4", 4)));
    assert_eq!(texts(&machine), ["text 1", "text 2", "text 3"]);
    let again: Vec<_> = (3..=4)
        .map(|seq| own(&format!("again-{seq}"), seq))
        .collect();
    frame(&mut machine, reset(again, 4));
    assert_eq!(texts(&machine), ["text of again-3", "text of again-4"]);
}

#[test]
fn what_is_posted_before_the_answer_to_the_watch_is_fetched_with_the_same_history() {
    let mut machine = live();
    connection(&mut machine, ConnectionEvent::Closed(1006));
    give(&mut machine, Input::Timer(Timer::Reconnect));
    connection(&mut machine, ConnectionEvent::Opened);
    let effects = frame(&mut machine, posted(message(4)));
    assert_eq!(effects, [Effect::FetchFrom(Seq::new(3))]);
    // The head was read before the message was stored.
    frame(&mut machine, watched(3));
    give(&mut machine, Input::Fetched(Ok(page(3..=4, 4))));
    assert_eq!(texts(&machine).len(), 4);
    assert_eq!(machine.connection(), Connection::CaughtUp { missed: 1 });
}

#[test]
fn what_is_posted_after_a_contradiction_is_not_listed_with_another_history() {
    let mut machine = live();
    send(&mut machine, "a");
    give(
        &mut machine,
        Input::PostAnswered(key("a"), Ok(own("a", 2).into())),
    );
    frame(&mut machine, posted(own("again-4", 4)));
    assert_eq!(machine.listed().1.len(), 3);
}

#[test]
fn a_message_that_was_lost_and_posted_again_under_its_number_is_another_one() {
    let mut machine = live();
    send(&mut machine, "a");
    let answer = Input::PostAnswered(key("a"), Ok(own("a", 4).into()));
    give(&mut machine, answer);
    frame(&mut machine, posted(own("a", 4)));
    assert!(machine.unsent().is_empty());
    let lost = own("a", 4);
    let again = Message {
        id: own("b", 4).id,
        ..lost
    };
    let effects = reconnect(&mut machine, 5);
    assert!(effects.contains(&Effect::FetchFrom(Seq::new(4))));
    let fetched = LogPage {
        entries: vec![again.into(), own("b", 5).into()],
        head: Seq::new(5),
    };
    let effects = give(&mut machine, Input::Fetched(Ok(fetched)));
    assert_eq!(effects, [Effect::FetchNewest]);
    assert_eq!(texts(&machine).len(), 4, "nothing of it is listed");
}

#[test]
fn older_messages_of_another_history_are_not_listed() {
    let mut machine = machine(page(101..=150, 150));
    connect(&mut machine, 150);
    give(&mut machine, Input::LoadOlder);
    let mut others = page(51..=100, 150);
    others.entries.push(own("again-101", 101).into());
    let effects = give(&mut machine, Input::FetchedOlder(Ok(others)));
    assert_eq!(effects, [Effect::FetchNewest]);
    assert_eq!(texts(&machine).len(), 50);
    assert_eq!(machine.older(), OlderMessages::More);
}

#[test]
fn older_messages_of_a_shorter_history_are_not_listed() {
    let mut machine = machine(page(101..=150, 150));
    connect(&mut machine, 150);
    give(&mut machine, Input::LoadOlder);
    give(&mut machine, Input::FetchedOlder(Ok(page(51..=100, 100))));
    assert_eq!(texts(&machine).len(), 50);
}

#[test]
fn a_fetch_that_shows_a_lower_head_starts_the_list_anew() {
    let mut machine = live();
    frame(&mut machine, posted(message(9)));
    give(&mut machine, Input::Timer(Timer::Backfill));
    let effects = give(&mut machine, Input::Fetched(Ok(page(3..=4, 4))));
    assert_eq!(effects, [Effect::FetchNewest]);
    give(&mut machine, Input::FetchedNewest(Ok(page(1..=4, 4))));
    assert!(machine.take_changes().restarted);
    assert_eq!(texts(&machine).len(), 4);
    assert_eq!(machine.connection(), Connection::Live);
}

#[test]
fn without_a_connection_the_answer_to_a_post_is_not_listed_but_fetched() {
    let mut machine = live();
    connection(&mut machine, ConnectionEvent::Closed(1006));
    send(&mut machine, "a");
    let effects = give(
        &mut machine,
        Input::PostAnswered(key("a"), Ok(own("a", 4).into())),
    );
    assert_eq!(effects, [Effect::FetchFrom(Seq::new(3))]);
    assert_eq!(delivery(&machine, "a"), Delivery::Sent);
    let mut fetched = page(3..=3, 4);
    fetched.entries.push(own("a", 4).into());
    give(&mut machine, Input::Fetched(Ok(fetched)));
    assert!(machine.unsent().is_empty());
    assert_eq!(texts(&machine).len(), 4);
}

#[test]
fn the_answer_to_a_post_is_not_listed_with_another_history() {
    // The connection is dead, but nothing has told so yet: a backup that ends with message 2 was restored, and somebody
    // else has posted one message since.
    let mut machine = live();
    send(&mut machine, "a");
    let answer = Input::PostAnswered(key("a"), Ok(own("a", 4).into()));
    let effects = give(&mut machine, answer);
    assert_eq!(effects, [Effect::Start(Timer::Backfill, 250)]);
    assert_eq!(machine.listed().1.len(), 3);
    let effects = give(&mut machine, Input::Timer(Timer::Backfill));
    assert_eq!(effects, [Effect::FetchFrom(Seq::new(3))]);
    let entries = [own("again-3", 3), own("a", 4)].map(Into::into).into();
    let head = Seq::new(4);
    let fetched = LogPage { entries, head };
    let effects = give(&mut machine, Input::Fetched(Ok(fetched.clone())));
    assert_eq!(effects, [Effect::FetchNewest]);
    give(&mut machine, Input::FetchedNewest(Ok(fetched)));
    assert_eq!(texts(&machine), ["text of again-3", "text of a"]);
    assert!(machine.unsent().is_empty());
}

#[test]
fn an_own_message_whose_number_belongs_to_another_one_is_posted_again() {
    let mut machine = live();
    send(&mut machine, "a");
    give(
        &mut machine,
        Input::PostAnswered(key("a"), Ok(own("a", 6).into())),
    );
    assert_eq!(delivery(&machine, "a"), Delivery::Sent, "behind a gap");
    // A backup that ends with message 3 is restored, and others post more than was lost: nothing contradicts the list.
    reconnect(&mut machine, 8);
    let effects = give(&mut machine, Input::Fetched(Ok(page(3..=8, 8))));
    assert_eq!(posts(&effects), ["a"]);
    assert_eq!(delivery(&machine, "a"), Delivery::Sending);
    give(
        &mut machine,
        Input::PostAnswered(key("a"), Ok(own("a", 9).into())),
    );
    frame(&mut machine, posted(own("a", 9)));
    assert!(machine.unsent().is_empty());
    assert_eq!(texts(&machine).last().unwrap(), "text of a");
}

#[test]
fn an_answer_that_shows_another_history_starts_the_list_anew() {
    let mut machine = live();
    send(&mut machine, "a");
    let effects = give(
        &mut machine,
        Input::PostAnswered(key("a"), Ok(own("a", 2).into())),
    );
    assert_eq!(effects, [Effect::FetchNewest]);
    let mut newest = page(1..=1, 2);
    newest.entries.push(own("a", 2).into());
    give(&mut machine, Input::FetchedNewest(Ok(newest)));
    assert!(machine.take_changes().restarted);
    assert!(machine.unsent().is_empty());
    assert_eq!(texts(&machine), ["text 1", "text of a"]);
}
