//! What clients listed is what is stored: nothing lost, nothing twice, nothing out of order.

use std::collections::HashSet;

use app::model::{Message, UploadId};

use super::{Conversations, first_few};
use crate::client::{Transcript, stored_line};

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
pub fn transcripts(seen: &[Seen], conversations: &Conversations) -> Vec<String> {
    let violations = seen.iter().filter_map(|client| {
        let stored = conversations.get(&client.upload);
        compare(client, stored.map(Vec::as_slice).unwrap_or_default())
    });
    first_few(violations.collect())
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
    let stored_at = |seq: u64| stored.get(usize::try_from(seq).ok()?.checked_sub(1)?);
    let wrong = lines.iter().filter(|(seq, line)| {
        let message = stored_at(seq.get());
        message.map(stored_line).as_ref() != Some(line)
    });
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

#[cfg(test)]
mod tests {
    use app::model::Seq;

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
