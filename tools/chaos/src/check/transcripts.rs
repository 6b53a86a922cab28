//! What clients listed is what is stored: nothing lost, nothing twice, nothing out of order, nothing that is deleted. A
//! list that was dropped after a restore was what was stored before it.

use std::collections::{HashMap, HashSet};

use app::model::{LogEntry, MessageId, Seq, UploadId};

use super::{Conversations, first_few};
use crate::client::{Line, Lines, Transcript};
use crate::recorder::Deletions;
use crate::restores::Restores;

/// What a client listed.
#[derive(Debug)]
pub struct Seen {
    pub name: String,
    pub upload: UploadId,
    pub transcript: Transcript,
    /// Whether it stayed to the end.
    pub stayed: bool,
}

/// Compares each transcript with the store, from where the client began.
pub fn transcripts(
    seen: &[Seen],
    conversations: &Conversations,
    (deletions, restores): (&Deletions, &Restores),
) -> Vec<String> {
    let violations = seen.iter().flat_map(|client| {
        let stored = conversations.get(&client.upload);
        let stored = stored.map(Vec::as_slice).unwrap_or_default();
        [
            compare(client, stored),
            compare_dropped(client, stored, restores),
            unstored(client, stored, deletions, restores),
        ]
    });
    let different = different_before_restores(seen, restores);
    first_few(violations.flatten().chain(different).collect())
}

fn compare(client: &Seen, stored: &[LogEntry]) -> Option<String> {
    let (name, lines) = (&client.name, &client.transcript.lines);
    if let Some(error) = &client.transcript.error {
        return Some(format!("{name}'s list changed: {error}"));
    }
    let mut known = HashSet::new();
    let duplicates = lines.values().filter(|line| !known.insert(line.id)).count();
    let (first, last) = match (lines.first_key_value(), lines.last_key_value()) {
        (Some((first, _)), Some((last, _))) => (first.get(), last.get()),
        _ => (1, 0),
    };
    // What was deleted after the client has left is none of its business.
    let deleted_later = |seq: Seq| {
        let mut later = stored
            .iter()
            .skip(usize::try_from(last).unwrap_or(usize::MAX));
        later.any(|entry| deletes(entry) == Some(seq))
    };
    let is_right = |seq: Seq, line: &Line| {
        entry_at(seq, stored).is_some_and(|entry| {
            line.is(entry)
                || line.is_or_was(entry)
                    && matches!(entry, LogEntry::DeletedMessage(_))
                    && deleted_later(seq)
        })
    };
    let wrong = lines.iter().filter(|(seq, line)| !is_right(**seq, line));
    let wrong = wrong.count();
    let end = if client.stayed {
        last.max(stored.len() as u64)
    } else {
        last
    };
    let missing = usize::try_from(end + 1 - first).unwrap_or(usize::MAX) - lines.len();
    (duplicates + wrong + missing > 0).then(|| {
        format!("{name} began with {first}: {duplicates} twice, {wrong} wrong, {missing} missing")
    })
}

fn entry_at(seq: Seq, stored: &[LogEntry]) -> Option<&LogEntry> {
    stored.get(usize::try_from(seq.get()).ok()?.checked_sub(1)?)
}

fn deletes(entry: &LogEntry) -> Option<Seq> {
    match entry {
        LogEntry::Deletion(deletion) => Some(deletion.deletes),
        LogEntry::Message(_) | LogEntry::DeletedMessage(_) => None,
    }
}

/// The messages that a client listed before a restore are of one history, and stored as far as they were in the backup.
fn compare_dropped(client: &Seen, stored: &[LogEntry], restores: &Restores) -> Option<String> {
    let wrong = |list: &Lines| {
        let kept = list.iter().filter(|(_, line)| {
            line.created_at()
                .is_some_and(|time| !restores.is_lost(time))
        });
        let is_stored = |seq: Seq, line: &Line| {
            entry_at(seq, stored).is_some_and(|entry| line.is_or_was(entry))
        };
        let wrong = kept.filter(|(seq, line)| !is_stored(**seq, line)).count();
        let are_mixed = restores.are_mixed(list.values().filter_map(Line::created_at));
        (wrong > 0 || are_mixed).then(|| {
            let mixture = if are_mixed { ", and two histories" } else { "" };
            format!("{wrong} messages that are not stored though they are not lost{mixture}")
        })
    };
    let wrong = client.transcript.dropped.iter().find_map(wrong)?;
    Some(format!("{} dropped a list with {wrong}", client.name))
}

/// What a client wrote is stored, except for what it has seen listed before a restore has lost it.
fn unstored(
    client: &Seen,
    stored: &[LogEntry],
    deletions: &Deletions,
    restores: &Restores,
) -> Option<String> {
    let key = |entry: &LogEntry| match entry {
        LogEntry::Message(message) => Some(message.client_message_id.clone()),
        LogEntry::DeletedMessage(message) => Some(deletions.get(&message.id)?.key.clone()),
        LogEntry::Deletion(_) => None,
    };
    let stored: HashSet<_> = stored.iter().filter_map(key).collect();
    let Transcript {
        dropped, written, ..
    } = &client.transcript;
    let listed = dropped.iter().flat_map(Lines::values);
    let listed = listed.filter_map(|line| line.message.as_ref());
    let lost = listed.filter(|message| restores.is_lost(message.created_at));
    let lost: HashSet<_> = lost.map(|message| &message.key).collect();
    let mut unstored = written
        .iter()
        .filter(|key| client.stayed && !stored.contains(key) && !lost.contains(key));
    let first = unstored.next()?;
    let (name, more) = (&client.name, unstored.count());
    Some(format!(
        "{name} wrote {first} and {more} more that are not stored"
    ))
}

/// Clients that listed a message that is lost listed the same one under its number.
fn different_before_restores(seen: &[Seen], restores: &Restores) -> Option<String> {
    let mut known: HashMap<(UploadId, usize, Seq), MessageId> = HashMap::new();
    for client in seen {
        for (seq, line) in client.transcript.dropped.iter().flatten() {
            let lost_by = |time| restores.lost_by(time);
            let Some(restore) = line.created_at().and_then(lost_by) else {
                continue;
            };
            let known = known
                .entry((client.upload, restore, *seq))
                .or_insert(line.id);
            if *known != line.id {
                let name = &client.name;
                return Some(format!(
                    "{name} listed another message as {seq} before a restore than others did"
                ));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use app::live::ListedEntry;
    use app::model::{Message, Seq, Timestamp};

    use super::super::fixture::{deletion, entries, log_with_deletion, messages, upload};
    use super::*;

    fn log(numbers: impl IntoIterator<Item = u64>) -> Vec<LogEntry> {
        messages(numbers)
            .into_iter()
            .map(LogEntry::Message)
            .collect()
    }

    fn check(first: u64, listed: &[u64], stayed: bool) -> Option<String> {
        let mut transcript = Transcript::default();
        transcript.record(Seq::new(first), &entries(listed.iter().copied()));
        let seen = Seen {
            name: "c".into(),
            upload: upload(),
            transcript,
            stayed,
        };
        compare(&seen, &log(1..=6))
    }

    #[test]
    fn the_store_from_where_the_client_began_is_fine_and_less_of_it_after_an_early_leave() {
        assert_eq!(check(1, &[1, 2, 3, 4, 5, 6], true), None);
        assert_eq!(check(4, &[4, 5, 6], true), None);
        assert_eq!(check(2, &[2, 3], false), None);
    }

    #[test]
    fn another_place_pin_or_author_is_found() {
        let changes: [fn(&mut Message); 3] =
            [|it| it.at = None, |it| it.pin = None, |it| it.author = None];
        for change in changes {
            let mut transcript = Transcript::default();
            transcript.record(Seq::new(1), &entries(1..=6));
            let seen = Seen {
                name: "c".into(),
                upload: upload(),
                transcript,
                stayed: true,
            };
            let mut stored = messages(1..=6);
            change(&mut stored[3]);
            let stored: Vec<_> = stored.into_iter().map(LogEntry::Message).collect();
            assert!(compare(&seen, &stored).is_some());
        }
    }

    /// A client that listed four messages, and then these.
    fn with_deletion(listed: Option<ListedEntry>, stayed: bool) -> Option<String> {
        let mut transcript = Transcript::default();
        transcript.record(Seq::new(1), &entries(1..=4));
        transcript.record(Seq::new(5), listed.as_slice());
        let seen = Seen {
            name: "c".into(),
            upload: upload(),
            transcript,
            stayed,
        };
        compare(&seen, &log_with_deletion(4, 2))
    }

    #[test]
    fn a_deleted_message_is_listed_only_by_who_has_left_before() {
        assert_eq!(with_deletion(Some(deletion(5, 2)), true), None);
        assert_eq!(with_deletion(None, false), None);
        assert!(with_deletion(None, true).is_some());
        assert!(with_deletion(Some(deletion(5, 3)), true).is_some());
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis).unwrap()
    }

    /// A client that listed these numbers and times, and then messages 1 to 3 after a restore; it wrote message 2.
    fn restarted(listed: &[(u64, i64)]) -> Seen {
        let entry = |(number, time): &(u64, i64)| {
            let mut listed = entries([*number]).remove(0);
            if let Some(message) = &mut listed.message {
                message.created_at = at(*time);
            }
            listed
        };
        let mut transcript = Transcript::default();
        let dropped: Vec<_> = listed.iter().map(entry).collect();
        transcript.record(Seq::new(1), &dropped);
        transcript.restart();
        transcript.record(Seq::new(1), &entries(1..=3));
        transcript.written.push("m2".parse().unwrap());
        Seen {
            name: "c".into(),
            upload: upload(),
            transcript,
            stayed: true,
        }
    }

    /// Compares it with a store that was put back to a backup; its messages are all of one time.
    fn check_restored(seen: &[Seen], stored: u64) -> Vec<String> {
        let kept = messages([1])[0].created_at.unix_millis();
        let stored = log(1..=stored);
        let restores = Restores::between([[at(kept + 1), at(kept + 20)]]);
        let conversations = Conversations::from([(upload(), stored)]);
        transcripts(seen, &conversations, (&Deletions::new(), &restores))
    }

    #[test]
    fn what_a_restore_has_lost_may_be_in_a_list_before_it_and_nothing_else() {
        let kept = messages([1])[0].created_at.unix_millis();
        let (lost, later) = (kept + 10, kept + 30);
        let dropped = restarted(&[(1, kept), (8, lost), (9, lost)]);
        assert_eq!(check_restored(&[dropped], 3), [""; 0]);
        let mixed = restarted(&[(1, kept), (8, lost), (3, later)]);
        assert_eq!(check_restored(&[mixed], 3).len(), 1);
        let invented = restarted(&[(8, kept), (9, lost)]);
        assert_eq!(check_restored(&[invented], 3).len(), 1);
        let others = [
            restarted(&[(1, kept), (8, lost)]),
            restarted(&[(1, kept), (9, lost)]),
        ];
        assert_eq!(check_restored(&others, 3).len(), 1);
    }

    #[test]
    fn an_own_message_is_stored_unless_a_restore_has_lost_it_after_it_was_listed() {
        let kept = messages([1])[0].created_at.unix_millis();
        let mut listed = restarted(&[(1, kept), (8, kept + 10)]);
        listed.transcript.written.push("m8".parse().unwrap());
        assert_eq!(check_restored(&[listed], 3), [""; 0]);
        let mut unsent = restarted(&[(1, kept)]);
        unsent.transcript.written.push("m8".parse().unwrap());
        let found = check_restored(&[unsent], 3);
        assert_eq!(found, ["c wrote m8 and 0 more that are not stored"]);
    }

    #[test]
    fn missing_duplicate_swapped_and_invented_messages_are_found() {
        for (first, listed, expected) in [
            (2, &[2, 3][..], "0 twice, 0 wrong, 3 missing"),
            (1, &[1, 2, 2, 4, 5, 6], "1 twice, 1 wrong, 0 missing"),
            (1, &[1, 3, 2, 4, 5, 6], "0 twice, 2 wrong, 0 missing"),
            (5, &[5, 6, 7], "0 twice, 1 wrong, 0 missing"),
        ] {
            let found = check(first, listed, true).unwrap();
            assert_eq!(found, format!("c began with {first}: {expected}"));
        }
    }
}
