//! What clients saw is what is stored: nothing lost, nothing twice, nothing out of order.

use std::collections::HashSet;

use app::model::{Message, UploadId};

use super::{Conversations, told};
use crate::client::{Line, Transcript};

/// What a client listed.
#[derive(Debug)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// What it watched.
    pub upload: UploadId,
    /// What it listed.
    pub transcript: Transcript,
    /// Whether it stayed to the end.
    pub stayed: bool,
}

/// What was wrong with the transcripts.
#[derive(Debug, Default)]
pub struct Verdict {
    /// In sentences.
    pub faults: Vec<String>,
    /// Lines that were listed twice.
    pub duplicates: usize,
    /// Lines that did not stand where the store has them.
    pub out_of_order: usize,
    /// Stored messages that clients which stayed to the end did not list.
    pub missing: usize,
}

/// Compares each transcript with the store, from where the client began.
pub fn transcripts(seen: &[Seen], conversations: &Conversations) -> Verdict {
    let mut verdict = Verdict::default();
    let mut faults = Vec::new();
    for client in seen {
        let stored = conversations.get(&client.upload);
        let stored = stored.map(Vec::as_slice).unwrap_or_default();
        faults.extend(verdict.judge(client, stored));
    }
    verdict.faults = told(faults);
    verdict
}

impl Verdict {
    fn judge(&mut self, client: &Seen, stored: &[Message]) -> Option<String> {
        let transcript = &client.transcript;
        let first = usize::try_from(transcript.first().get()).unwrap_or(usize::MAX) - 1;
        let due = stored.get(first..).unwrap_or_default();
        let mut known = HashSet::new();
        let duplicates = transcript.lines().filter(|line| !known.insert(&line.key));
        let duplicates = duplicates.count();
        let pairs = transcript.lines().zip(due);
        let wrong = pairs.filter(|(line, message)| **line != Line::from(*message));
        let surplus = transcript.lines().len().saturating_sub(due.len());
        let out_of_order = wrong.count() + surplus;
        let missing = due.len().saturating_sub(transcript.lines().len());
        let missing = if client.stayed { missing } else { 0 };
        self.duplicates += duplicates;
        self.out_of_order += out_of_order;
        self.missing += missing;
        let name = &client.name;
        if let Some(fault) = transcript.faults().first() {
            return Some(format!("{name}'s list changed: {fault}"));
        }
        (duplicates + out_of_order + missing > 0).then(|| {
            format!(
                "{name} began with {} and has {duplicates} twice, {out_of_order} out of order, {missing} missing of {}",
                transcript.first(),
                due.len()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use app::live::{Delivery, Entry};
    use app::model::Seq;

    use super::super::fixture::{messages, upload};
    use super::*;

    fn verdict(first: u64, listed: &[u64], stayed: bool) -> Verdict {
        let entries: Vec<Entry> = messages(listed.iter().copied())
            .into_iter()
            .map(|message| Entry {
                key: message.client_message_id,
                author_name: message.author_name,
                content: message.content,
                created_at: message.created_at,
                mine: false,
                delivery: Delivery::Sent,
            })
            .collect();
        let seen = Seen {
            name: "c1".into(),
            upload: upload(),
            transcript: Transcript::new(Seq::new(first), &entries),
            stayed,
        };
        transcripts(&[seen], &HashMap::from([(upload(), messages(1..=6))]))
    }

    #[test]
    fn the_store_from_where_the_client_began_is_fine() {
        assert!(verdict(1, &[1, 2, 3, 4, 5, 6], true).faults.is_empty());
        assert!(verdict(4, &[4, 5, 6], true).faults.is_empty());
    }

    #[test]
    fn one_that_left_earlier_has_less() {
        assert!(verdict(2, &[2, 3], false).faults.is_empty());
        let stayed = verdict(2, &[2, 3], true);
        assert_eq!((stayed.missing, stayed.faults.len()), (3, 1));
    }

    #[test]
    fn duplicates_swaps_and_inventions_are_found() {
        let twice = verdict(1, &[1, 2, 2, 3, 4, 5], false);
        assert_eq!(twice.duplicates, 1);
        let swapped = verdict(1, &[1, 3, 2, 4, 5, 6], true);
        assert_eq!((swapped.duplicates, swapped.out_of_order), (0, 2));
        let more = verdict(5, &[5, 6, 7], true);
        assert_eq!(more.out_of_order, 1);
    }
}
