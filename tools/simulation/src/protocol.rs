//! What one socket delivers after a `watch`: the state machine would correct most of what is wrong with it.

use std::collections::BTreeSet;

use app::event::{ClientCommand, ServerEvent};
use app::model::{LogEntry, Seq};

/// The state of one socket.
#[derive(Default)]
pub struct Protocol {
    /// After which message the last `watch` asked, if there was only one.
    after: Option<Seq>,
    watches: usize,
    /// The head that its node has to know.
    known: Seq,
    /// The entries that it has delivered in the calm by frames of their own.
    frames: BTreeSet<Seq>,
    /// The same with those that were delivered by answers.
    delivered: BTreeSet<Seq>,
}

impl Protocol {
    /// Records a command of the client, whose node has to know this head.
    pub fn on_command(&mut self, command: &ClientCommand, known: Seq) {
        if let ClientCommand::Watch { after, .. } = command {
            if self.watches == 0 {
                self.known = known;
            }
            self.watches += 1;
            self.after = Some(after.unwrap_or_default()).filter(|_| self.watches == 1);
        }
    }

    /// Records an event, and returns what is wrong with it. In the calm no frame is doubled.
    pub fn on_event(&mut self, event: &ServerEvent, is_calm: bool) -> Option<String> {
        let seq = match event {
            ServerEvent::Watched {
                head,
                entries,
                reset,
                ..
            } => {
                self.delivered
                    .extend(entries.iter().filter(|_| is_calm).map(LogEntry::seq));
                return self.error(*head, entries, *reset);
            }
            ServerEvent::MessagePosted { message, .. } => message.seq,
            ServerEvent::MessageDeleted { entry, .. } => entry.seq,
            _ => return None,
        };
        if !is_calm {
            return None;
        }
        self.delivered.insert(seq);
        let is_new = self.frames.insert(seq);
        (!is_new).then(|| format!("{seq} is delivered twice"))
    }

    /// Returns the first number that was not delivered in the calm, although one before it and one after it were.
    pub fn skipped(&self) -> Option<Seq> {
        let mut pairs = self.delivered.iter().zip(self.delivered.iter().skip(1));
        pairs.find_map(|(seq, next)| (*next != seq.next()).then(|| seq.next()))
    }

    /// Returns what is wrong with an answer: its head is what the node has to know, its entries end there and tell nothing
    /// that was deleted, and the first one follows the client's last one, unless it starts anew.
    fn error(&self, head: Seq, entries: &[LogEntry], reset: bool) -> Option<String> {
        if head < self.known {
            let known = self.known;
            return Some(format!("watched has head {head}, and not {known}"));
        }
        if let Some(seq) = told_although_deleted(entries) {
            return Some(format!("watched tells {seq}, which was deleted"));
        }
        let numbers: Vec<Seq> = entries.iter().map(LogEntry::seq).collect();
        let (first, last) = (numbers.first()?, numbers.last()?);
        let has_gap = numbers.windows(2).any(|pair| pair[1] != pair[0].next());
        let is_late = self.after.is_some_and(|after| *first != after.next());
        (has_gap || *last != head || is_late && !reset).then(|| {
            format!(
                "watched has {first} to {last}, head {head}, after {:?}",
                self.after
            )
        })
    }
}

/// A message with content whose deletion is among the entries.
fn told_although_deleted(entries: &[LogEntry]) -> Option<Seq> {
    let deleted = |it: &LogEntry| match it {
        LogEntry::Deletion(deletion) => Some(deletion.deletes),
        _ => None,
    };
    let deleted: BTreeSet<Seq> = entries.iter().filter_map(deleted).collect();
    let mut told = entries.iter().filter_map(LogEntry::message);
    told.find(|message| deleted.contains(&message.seq))
        .map(|message| message.seq)
}
