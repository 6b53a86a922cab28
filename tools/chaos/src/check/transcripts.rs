//! What clients listed is what is stored: nothing lost, nothing twice, nothing out of order. A list that was dropped after
//! a restore was what was stored before it.

use std::collections::{HashMap, HashSet};

use app::model::{Message, Seq, UploadId};

use super::{Conversations, first_few};
use crate::client::{Line, Lines, Transcript, stored_line};
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
    restores: &Restores,
) -> Vec<String> {
    let violations = seen.iter().flat_map(|client| {
        let stored = conversations.get(&client.upload);
        let stored = stored.map(Vec::as_slice).unwrap_or_default();
        [
            compare(client, stored),
            compare_dropped(client, stored, restores),
            unstored(client, stored, restores),
        ]
    });
    let different = different_before_restores(seen, restores);
    first_few(violations.flatten().chain(different).collect())
}

fn compare(client: &Seen, stored: &[Message]) -> Option<String> {
    let (name, lines) = (&client.name, &client.transcript.lines);
    if let Some(error) = &client.transcript.error {
        return Some(format!("{name}'s list changed: {error}"));
    }
    let mut known = HashSet::new();
    let duplicates = lines
        .values()
        .filter(|line| !known.insert(&line.key))
        .count();
    let wrong = lines
        .iter()
        .filter(|(seq, line)| !is_stored(**seq, line, stored));
    let wrong = wrong.count();
    let (first, last) = match (lines.first_key_value(), lines.last_key_value()) {
        (Some((first, _)), Some((last, _))) => (first.get(), last.get()),
        _ => (1, 0),
    };
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

fn is_stored(seq: Seq, line: &Line, stored: &[Message]) -> bool {
    let place = usize::try_from(seq.get()).unwrap_or(usize::MAX);
    let message = place.checked_sub(1).and_then(|place| stored.get(place));
    message.is_some_and(|message| stored_line(message) == *line)
}

/// What a client listed before a restore is of one history, and stored as far as it was in the backup.
fn compare_dropped(client: &Seen, stored: &[Message], restores: &Restores) -> Option<String> {
    let wrong = |list: &Lines| {
        let kept = list
            .iter()
            .filter(|(_, line)| !restores.is_lost(line.created_at));
        let wrong = kept
            .filter(|(seq, line)| !is_stored(**seq, line, stored))
            .count();
        let are_mixed = restores.are_mixed(list.values().map(|line| line.created_at));
        (wrong > 0 || are_mixed).then(|| {
            let mixture = if are_mixed { ", and two histories" } else { "" };
            format!("{wrong} messages that are not stored though they are not lost{mixture}")
        })
    };
    let wrong = client.transcript.dropped.iter().find_map(wrong)?;
    Some(format!("{} dropped a list with {wrong}", client.name))
}

/// What a client wrote is stored, except for what it has seen listed before a restore has lost it.
fn unstored(client: &Seen, stored: &[Message], restores: &Restores) -> Option<String> {
    let stored: HashSet<_> = stored.iter().map(|it| &it.client_message_id).collect();
    let Transcript {
        dropped, written, ..
    } = &client.transcript;
    let lost = dropped.iter().flat_map(Lines::values);
    let lost = lost.filter(|line| restores.is_lost(line.created_at));
    let lost: HashSet<_> = lost.map(|line| &line.key).collect();
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
    let mut known: HashMap<(UploadId, usize, Seq), &Line> = HashMap::new();
    for client in seen {
        for (seq, line) in client.transcript.dropped.iter().flatten() {
            let Some(restore) = restores.lost_by(line.created_at) else {
                continue;
            };
            let known = known.entry((client.upload, restore, *seq)).or_insert(line);
            if *known != line {
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
    use app::model::{Seq, Timestamp};

    use super::super::fixture::{entries, messages, upload};
    use super::*;

    fn check(first: u64, listed: &[u64], stayed: bool) -> Option<String> {
        let mut transcript = Transcript::default();
        transcript.record(Seq::new(first), &entries(listed.iter().copied()));
        let seen = Seen {
            name: "c".into(),
            upload: upload(),
            transcript,
            stayed,
        };
        compare(&seen, &messages(1..=6))
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
            assert!(compare(&seen, &stored).is_some());
        }
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
        let stored = messages(1..=stored);
        let kept = stored[0].created_at.unix_millis();
        let restores = Restores::between([[at(kept + 1), at(kept + 20)]]);
        transcripts(seen, &Conversations::from([(upload(), stored)]), &restores)
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
