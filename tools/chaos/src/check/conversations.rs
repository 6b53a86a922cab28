//! What the nodes return from the store.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;

use app::live::failure::ApiFailure;
use app::model::{LogEntry, Message, Seq, UploadId};

use super::first_few;
use crate::client::Api;

/// The log of each upload.
pub type Conversations = HashMap<UploadId, Vec<LogEntry>>;

/// Reads the conversations from a node; what it returns, and what is wrong with it.
pub async fn read(
    node: &Api,
    uploads: &[UploadId],
) -> Result<(Conversations, Vec<String>), ApiFailure> {
    let (mut conversations, mut errors) = (Conversations::new(), Vec::new());
    for upload in uploads {
        let mut log: Vec<LogEntry> = Vec::new();
        loop {
            let last = log.last().map_or(Seq::ZERO, LogEntry::seq);
            let page = node.after(*upload, last).await?;
            if page.entries.is_empty() {
                break;
            }
            let error = sequence_error(last, page.entries.iter().map(LogEntry::seq));
            log.extend(page.entries);
            if let Some(error) = error {
                errors.push(format!("in the store {error}"));
                // There may be no end of such pages.
                break;
            }
        }
        errors.extend(repetitions(&log));
        errors.extend(wrong_pin(&log));
        errors.extend(wrong_deletions(&log));
        conversations.insert(*upload, log);
    }
    Ok((conversations, first_few(errors)))
}

/// Why these are not the numbers that follow that one.
fn sequence_error(after: Seq, numbers: impl IntoIterator<Item = Seq>) -> Option<String> {
    let (expected, seq) = (after.get() + 1..)
        .zip(numbers)
        .find(|(expected, seq)| *expected != seq.get())?;
    Some(format!(
        "{seq} stands where {expected} is expected (after {after})"
    ))
}

/// A `clientMessageID` names one message.
fn repetitions(log: &[LogEntry]) -> Vec<String> {
    let mut names = HashSet::new();
    let again = log
        .iter()
        .filter_map(LogEntry::message)
        .filter(|it| !names.insert(&it.client_message_id));
    let describe = |it: &Message| {
        let (name, seq) = (&it.client_message_id, it.seq);
        format!("the store has {name} twice, the second time as {seq}")
    };
    again.map(describe).collect()
}

/// Places are numbered in the order of their messages, without holes other than those of deleted messages.
fn wrong_pin(log: &[LogEntry]) -> Option<String> {
    let (mut last, mut deleted) = (0, 0);
    for entry in log {
        match entry {
            LogEntry::DeletedMessage(_) => deleted += 1,
            LogEntry::Deletion(_) => {}
            LogEntry::Message(message) => {
                let pin = message.pin.map_or(0, NonZeroU32::get);
                let is_right = match message.at {
                    None => pin == 0,
                    Some(_) => (last + 1..=last + 1 + deleted).contains(&pin),
                };
                if !is_right {
                    let seq = message.seq;
                    return Some(format!("in the store {seq} has pin {pin} after {last}"));
                }
                if pin > 0 {
                    (last, deleted) = (pin, 0);
                }
            }
        }
    }
    None
}

/// Each deleted message has one deletion, which comes later.
fn wrong_deletions(log: &[LogEntry]) -> Vec<String> {
    let (mut messages, mut deleted, mut errors) = (HashSet::new(), HashSet::new(), Vec::new());
    for entry in log {
        match entry {
            LogEntry::Message(_) => {}
            LogEntry::DeletedMessage(message) => _ = messages.insert(message.seq),
            LogEntry::Deletion(deletion) => {
                let seq = deletion.deletes;
                if !messages.contains(&seq) {
                    errors.push(format!(
                        "in the store {seq} has a deletion and is not deleted"
                    ));
                }
                if !deleted.insert(seq) {
                    errors.push(format!("in the store {seq} is deleted twice"));
                }
            }
        }
    }
    let undeleted = messages.difference(&deleted);
    errors.extend(undeleted.map(|seq| format!("in the store {seq} is deleted without a deletion")));
    errors
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{log, log_with_deletion, messages};
    use super::*;

    #[test]
    fn numbers_that_are_missing_or_repeated_are_found() {
        let error = |after, numbers: &[u64]| {
            let numbers = numbers.iter().copied().map(Seq::new);
            sequence_error(Seq::new(after), numbers).is_some()
        };
        assert!(!error(3, &[4, 5, 6]));
        assert!(error(3, &[3, 4]));
        assert!(error(3, &[5, 6]));
        assert!(error(3, &[4, 6]));
    }

    #[test]
    fn a_name_that_comes_twice_is_found() {
        let mut twice = messages(1..=3);
        twice[2].client_message_id = twice[0].client_message_id.clone();
        let twice: Vec<_> = twice.into_iter().map(LogEntry::Message).collect();
        assert!(repetitions(&log(1..=3)).is_empty());
        let found = repetitions(&twice);
        assert_eq!(found, ["the store has m1 twice, the second time as 3"]);
    }

    #[test]
    fn pins_with_a_hole_out_of_order_or_without_a_place_are_found() {
        assert_eq!(wrong_pin(&log(1..=6)), None);
        assert!(wrong_pin(&log([1, 3, 4])).is_some());
        assert!(wrong_pin(&log([4, 2])).is_some());
        let mut placeless = messages(1..=2);
        placeless[1].at = None;
        assert!(wrong_pin(&[LogEntry::Message(placeless.remove(1))]).is_some());
    }

    #[test]
    fn a_deleted_message_may_have_had_a_pin() {
        assert_eq!(wrong_pin(&log_with_deletion(6, 2)), None);
        assert_eq!(wrong_pin(&log_with_deletion(6, 3)), None);
    }

    #[test]
    fn a_deletion_that_is_missing_repeated_or_without_effect_is_found() {
        let log = log_with_deletion(4, 2);
        assert_eq!(wrong_deletions(&log), [""; 0]);
        let found = wrong_deletions(&log[..4]);
        assert_eq!(found, ["in the store 2 is deleted without a deletion"]);
        let twice = [log.clone(), vec![log[4].clone()]].concat();
        assert_eq!(wrong_deletions(&twice), ["in the store 2 is deleted twice"]);
        let mut shown = log;
        shown[1] = LogEntry::Message(messages([2]).remove(0));
        let found = wrong_deletions(&shown);
        assert_eq!(found, ["in the store 2 has a deletion and is not deleted"]);
    }
}
