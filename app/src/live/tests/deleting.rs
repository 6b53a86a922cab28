use super::super::connection::ConnectionEvent;
use super::super::deletions::UNDO_MILLIS;
use super::super::effect::{Effect, Now, Timer};
use super::super::machine::{Input, Machine};
use super::super::view::Delivery;
use super::fixture::{deletion, message, page, upload_id};
use super::harness::{connection, frame, give, live, own, posted, texts};
use crate::event::ServerEvent;
use crate::live::failure::ApiFailure;
use crate::model::{LogEntry, MessageId, Seq};

const TWO: Seq = Seq::new(2);

fn delivery(machine: &Machine, seq: u64) -> Option<Delivery> {
    let (first, listed) = machine.listed();
    let index = usize::try_from(seq - first.get()).unwrap();
    listed[index].message.as_ref().map(|it| it.delivery.clone())
}

fn id_of_two() -> MessageId {
    page(2..=2, 2).entries[0].id()
}

/// The undo time of what was deleted at the time of the harness is up.
fn wait(machine: &mut Machine) -> Vec<Effect> {
    let later = Now {
        millis: 1_000_000 + u64::from(UNDO_MILLIS),
        random: 0.5,
    };
    machine.handle(Input::Timer(Timer::Delete), later);
    machine.take_effects()
}

fn deleted(seq: u64, deletes: u64) -> ServerEvent {
    ServerEvent::MessageDeleted {
        upload_id: upload_id(),
        entry: deletion(seq, deletes),
    }
}

#[test]
fn a_message_is_deleted_after_the_time_to_undo_it() {
    let mut machine = live();
    let effects = give(&mut machine, Input::Delete(TWO));
    assert_eq!(effects, [Effect::Start(Timer::Delete, UNDO_MILLIS)]);
    let undo = |undo| Some(Delivery::Deleted { undo });
    assert_eq!(delivery(&machine, 2), undo(true));
    assert!(machine.take_changes().deliveries);
    assert_eq!(wait(&mut machine), [Effect::Delete(TWO, id_of_two())]);
    assert_eq!(machine.take_changes().deletions_sent, [TWO]);
    assert_eq!(delivery(&machine, 2), undo(false));
    give(&mut machine, Input::DeleteAnswered(TWO, Ok(())));
    frame(&mut machine, deleted(4, 2));
    assert_eq!(machine.take_changes().deleted, [TWO]);
    assert_eq!(texts(&machine), ["text 1", "text 3"]);
}

#[test]
fn an_undone_deletion_is_not_sent() {
    let mut machine = live();
    give(&mut machine, Input::Delete(TWO));
    give(&mut machine, Input::UndoDelete(TWO));
    assert_eq!(delivery(&machine, 2), Some(Delivery::Sent));
    assert_eq!(wait(&mut machine), []);
}

#[test]
fn leaving_or_hiding_the_page_sends_deletions_at_once() {
    for event in [
        ConnectionEvent::Hidden,
        ConnectionEvent::PageHidden,
        ConnectionEvent::Unmounted,
    ] {
        let mut machine = live();
        give(&mut machine, Input::Delete(TWO));
        let effects = connection(&mut machine, event);
        assert!(
            effects.contains(&Effect::Delete(TWO, id_of_two())),
            "{event:?}"
        );
        assert_eq!(wait(&mut machine), [], "{event:?}");
    }
}

#[test]
fn a_message_that_could_not_be_deleted_is_back_and_says_why() {
    let mut machine = live();
    give(&mut machine, Input::Delete(TWO));
    wait(&mut machine);
    let failure = ApiFailure::Unreachable;
    let reason = failure.to_string();
    give(&mut machine, Input::DeleteAnswered(TWO, Err(failure)));
    assert_eq!(delivery(&machine, 2), Some(Delivery::NotDeleted { reason }));
    let again = give(&mut machine, Input::Delete(TWO));
    assert_eq!(again, [Effect::Delete(TWO, id_of_two())]);
}

/// The server has another history, which ends with these entries.
fn restart(machine: &mut Machine, entries: Vec<LogEntry>) -> Vec<Effect> {
    let reset = ServerEvent::Watched {
        upload_id: upload_id(),
        head: entries.last().map_or(Seq::ZERO, LogEntry::seq),
        entries,
        reset: true,
    };
    frame(machine, reset)
}

fn deletions(effects: &[Effect]) -> Vec<&Effect> {
    let is_deletion = |it: &&Effect| matches!(it, Effect::Delete(..));
    effects.iter().filter(is_deletion).collect()
}

#[test]
fn no_other_message_is_deleted_from_another_history() {
    let mut machine = live();
    give(&mut machine, Input::Delete(TWO));
    let others = (1..=3).map(|seq| own(&format!("again-{seq}"), seq).into());
    let effects = restart(&mut machine, others.collect());
    assert_eq!(deletions(&effects), Vec::<&Effect>::new());
    assert_eq!(wait(&mut machine), []);
    assert_eq!(delivery(&machine, 2), Some(Delivery::Sent));
}

#[test]
fn a_message_that_is_not_listed_after_a_restart_is_deleted_at_once() {
    let mut machine = live();
    give(&mut machine, Input::Delete(TWO));
    let effects = restart(&mut machine, page(51..=100, 100).entries);
    assert_eq!(deletions(&effects), [&Effect::Delete(TWO, id_of_two())]);
    assert_eq!(wait(&mut machine), []);
}

#[test]
fn a_message_that_another_history_has_too_is_deleted_from_it() {
    let mut machine = live();
    frame(&mut machine, posted(message(4)));
    give(&mut machine, Input::Delete(TWO));
    let effects = restart(&mut machine, page(1..=3, 3).entries);
    assert_eq!(deletions(&effects), Vec::<&Effect>::new());
    let undo = |undo| Some(Delivery::Deleted { undo });
    assert_eq!(delivery(&machine, 2), undo(true));
    assert_eq!(wait(&mut machine), [Effect::Delete(TWO, id_of_two())]);
    // The deletion was stored, and is lost in one more restore.
    give(&mut machine, Input::DeleteAnswered(TWO, Ok(())));
    let effects = restart(&mut machine, page(1..=3, 3).entries);
    assert_eq!(deletions(&effects), [&Effect::Delete(TWO, id_of_two())]);
    assert_eq!(delivery(&machine, 2), undo(false));
}

#[test]
fn only_listed_messages_are_deleted() {
    let mut machine = live();
    assert_eq!(give(&mut machine, Input::Delete(Seq::new(9))), []);
    frame(&mut machine, deleted(4, 2));
    assert_eq!(give(&mut machine, Input::Delete(TWO)), []);
}
