//! What a client listed, in the order in which it did; kept beyond what the client itself keeps.

use std::collections::VecDeque;

use app::live::Entry;
use app::model::{AuthorName, ClientMessageId, Message, MessageText, Seq};

/// How many contradictions are told of one transcript.
const MOST_FAULTS: usize = 5;

/// One listed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The name its writer gave it.
    pub key: ClientMessageId,
    /// Who wrote it.
    pub author: AuthorName,
    /// What they wrote.
    pub text: MessageText,
}

impl From<&Entry> for Line {
    fn from(entry: &Entry) -> Self {
        Self {
            key: entry.key.clone(),
            author: entry.author_name.clone(),
            text: entry.content.clone(),
        }
    }
}

impl From<&Message> for Line {
    fn from(message: &Message) -> Self {
        Self {
            key: message.client_message_id.clone(),
            author: message.author_name.clone(),
            text: message.content.clone(),
        }
    }
}

/// A stretch of a conversation as a client saw it.
#[derive(Debug)]
pub struct Transcript {
    first: Seq,
    lines: VecDeque<Line>,
    faults: Vec<String>,
}

impl Transcript {
    /// Starts with the messages that the page showed; the first of them has this number.
    pub fn new(first: Seq, listed: &[Entry]) -> Self {
        Self {
            first,
            lines: listed.iter().map(Line::from).collect(),
            faults: Vec::new(),
        }
    }

    /// The number of the first line.
    pub fn first(&self) -> Seq {
        self.first
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &Line> {
        self.lines.iter()
    }

    /// Where what was listed contradicted what had been listed before.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Compares what is listed now with what was listed before, and takes what is new; how many of the newest are.
    pub fn record(&mut self, first: Seq, listed: &[Entry]) -> usize {
        let older = usize::try_from(self.first.get().saturating_sub(first.get()));
        let older = older.unwrap_or(usize::MAX).min(listed.len());
        for entry in listed[..older].iter().rev() {
            self.lines.push_front(entry.into());
            self.first = Seq::new(self.first.get() - 1);
        }
        let known = self.compare(first, listed);
        let new = listed.len().saturating_sub(known);
        self.lines
            .extend(listed[known.min(listed.len())..].iter().map(Line::from));
        new
    }

    /// Compares what both have; how many of the listed ones that is.
    fn compare(&mut self, first: Seq, listed: &[Entry]) -> usize {
        let skipped = usize::try_from(first.get() - self.first.get()).unwrap_or(usize::MAX);
        if skipped > self.lines.len() {
            let last = self.first.get() + self.lines.len() as u64 - 1;
            self.blame(format!("after {last} it goes on with {first}"));
            return listed.len();
        }
        let known = self.lines.len() - skipped;
        if known > listed.len() {
            let gone = known - listed.len();
            self.blame(format!(
                "the newest {gone} were listed and are not any more"
            ));
        }
        let pairs = self.lines.iter().skip(skipped).zip(listed);
        let changed = pairs
            .enumerate()
            .find(|(_, (line, entry))| line.key != entry.key)
            .map(|(place, (line, entry))| {
                let number = first.get() + place as u64;
                format!("{number} was {} and is {}", line.key, entry.key)
            });
        if let Some(changed) = changed {
            self.blame(changed);
        }
        known
    }

    fn blame(&mut self, fault: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use app::live::Delivery;

    use super::*;

    fn entries(numbers: impl IntoIterator<Item = u64>) -> Vec<Entry> {
        let entry = |number| Entry {
            key: format!("m{number}").parse().unwrap(),
            author_name: "Ada".parse().unwrap(),
            content: format!("text {number}").parse().unwrap(),
            created_at: "2026-11-24T12:00:00Z".parse().unwrap(),
            mine: false,
            delivery: Delivery::Sent,
        };
        numbers.into_iter().map(entry).collect()
    }

    fn keys(transcript: &Transcript) -> Vec<String> {
        transcript
            .lines()
            .map(|line| line.key.to_string())
            .collect()
    }

    fn names(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
        numbers
            .into_iter()
            .map(|number| format!("m{number}"))
            .collect()
    }

    #[test]
    fn what_is_new_is_taken_even_when_the_oldest_go() {
        let mut transcript = Transcript::new(Seq::new(5), &entries(5..8));
        assert_eq!(transcript.record(Seq::new(5), &entries(5..10)), 2);
        assert_eq!(transcript.record(Seq::new(8), &entries(8..12)), 2);
        assert_eq!(keys(&transcript), names(5..12));
        assert!(transcript.faults().is_empty());
    }

    #[test]
    fn older_messages_go_before_the_first() {
        let mut transcript = Transcript::new(Seq::new(5), &entries(5..8));
        assert_eq!(transcript.record(Seq::new(2), &entries(2..8)), 0);
        assert_eq!(transcript.first(), Seq::new(2));
        assert_eq!(keys(&transcript), names(2..8));
        assert!(transcript.faults().is_empty());
    }

    #[test]
    fn an_order_that_changes_is_a_fault() {
        let mut transcript = Transcript::new(Seq::new(1), &entries([1, 2, 3]));
        transcript.record(Seq::new(1), &entries([1, 3, 2, 4]));
        assert_eq!(transcript.faults(), ["2 was m2 and is m3"]);
    }

    #[test]
    fn what_vanishes_is_a_fault() {
        let mut transcript = Transcript::new(Seq::new(1), &entries(1..5));
        transcript.record(Seq::new(1), &entries(1..3));
        assert_eq!(transcript.faults().len(), 1);
    }

    #[test]
    fn a_jump_is_a_fault() {
        let mut transcript = Transcript::new(Seq::new(1), &entries(1..5));
        transcript.record(Seq::new(7), &entries(7..9));
        assert_eq!(transcript.faults(), ["after 4 it goes on with 7"]);
    }
}
