//! What every client lists is what is stored: nothing lost, nothing twice, nothing out of order, nothing that is
//! deleted.

use app::live::{ListedEntry, ListedMessage};
use app::model::{LogEntry, Message};

use super::{Conversations, first_few};
use crate::client::Seen;

/// Compares each list with the store, from its first entry to the last one that is stored.
pub fn lists(seen: &[Seen], conversations: &Conversations) -> Vec<String> {
    let compare = |client: &Seen| {
        let stored = conversations.get(&client.upload);
        compare(client, stored.map(Vec::as_slice).unwrap_or_default())
    };
    first_few(seen.iter().filter_map(compare).collect())
}

fn compare(client: &Seen, stored: &[LogEntry]) -> Option<String> {
    let Seen {
        name,
        first,
        listed,
        ..
    } = client;
    let before = usize::try_from(first.get().saturating_sub(1)).unwrap_or(usize::MAX);
    let expected = stored.get(before..).unwrap_or_default();
    let pairs = listed.iter().zip(expected);
    let wrong = pairs.filter(|(entry, stored)| !is(entry, stored)).count();
    let (has, stored) = (listed.len(), expected.len());
    (wrong > 0 || has != stored).then(|| {
        format!("{name} lists {has} entries from {first} on, of which {wrong} are wrong; {stored} are stored")
    })
}

fn is(listed: &ListedEntry, stored: &LogEntry) -> bool {
    listed.id == stored.id()
        && match (stored, &listed.message) {
            (LogEntry::Message(stored), Some(listed)) => is_message(listed, stored),
            (LogEntry::DeletedMessage(_), None) => listed.deletes.is_none(),
            (LogEntry::Deletion(deletion), None) => listed.deletes == Some(deletion.deletes),
            _ => false,
        }
}

fn is_message(listed: &ListedMessage, stored: &Message) -> bool {
    listed.seq == stored.seq
        && listed.key == stored.client_message_id
        && listed.author_name == stored.author_name
        && listed.content == stored.content
        && listed.created_at == stored.created_at
        && listed.author == stored.author
        && listed.at == stored.at
        && listed.pin == stored.pin
}

#[cfg(test)]
mod tests {
    use app::model::Seq;

    use super::super::fixture::{entries, log, log_with_deletion, upload};
    use super::*;

    fn check(first: u64, listed: Vec<ListedEntry>, stored: &[LogEntry]) -> Option<String> {
        let seen = Seen {
            name: "c".into(),
            upload: upload(),
            first: Seq::new(first),
            listed,
        };
        compare(&seen, stored)
    }

    #[test]
    fn the_end_of_what_is_stored_is_fine() {
        assert_eq!(check(1, entries(1..=6), &log(1..=6)), None);
        assert_eq!(check(4, entries(4..=6), &log(1..=6)), None);
        assert_eq!(check(1, Vec::new(), &[]), None);
    }

    #[test]
    fn missing_repeated_swapped_and_invented_messages_are_found() {
        for numbers in [
            &[1, 2, 3, 4, 5][..],
            &[1, 2, 2, 4, 5, 6],
            &[1, 3, 2, 4, 5, 6],
            &[1, 2, 3, 4, 5, 6, 7],
            &[],
        ] {
            let listed = entries(numbers.iter().copied());
            assert!(check(1, listed, &log(1..=6)).is_some(), "{numbers:?}");
        }
    }

    #[test]
    fn another_text_place_pin_or_author_is_found() {
        let changes: [fn(&mut ListedMessage); 4] = [
            |it| it.content = "another text".parse().unwrap(),
            |it| it.at = None,
            |it| it.pin = None,
            |it| it.author = None,
        ];
        for change in changes {
            let mut listed = entries(1..=6);
            listed[3].message.iter_mut().for_each(change);
            assert!(check(1, listed, &log(1..=6)).is_some());
        }
    }

    #[test]
    fn a_message_is_not_listed_after_its_deletion() {
        let stored = log_with_deletion(4, 2);
        let deletion = |deletes| ListedEntry {
            id: stored[4].id(),
            message: None,
            deletes: Some(Seq::new(deletes)),
        };
        let mut listed = entries(1..=4);
        listed.push(deletion(2));
        assert!(check(1, listed.clone(), &stored).is_some());
        listed[1].message = None;
        assert_eq!(check(1, listed.clone(), &stored), None);
        listed[4] = deletion(3);
        assert!(check(1, listed, &stored).is_some());
    }
}
