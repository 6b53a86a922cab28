//! What one socket delivers after a `watch`: the state machine would correct most of what is wrong with it.

use std::collections::BTreeSet;

use app::event::{ClientCommand, CommandName, ServerEvent};
use app::model::{LogEntry, Seq};

use crate::Millis;

/// The state of one socket.
#[derive(Default)]
pub struct Protocol {
    /// After which message the last `watch` asked, if there was only one.
    after: Option<Seq>,
    watches: usize,
    /// How many of them are not answered.
    unanswered: usize,
    /// Whether that is uncertain: its client did not read for a while.
    pub is_uncertain: bool,
    /// The head that its node had to know when the first `watch` was sent, and when the only one was that is not answered.
    known: Seq,
    known_since: Option<Seq>,
    /// The highest number of which it has told, and since when it tells of all.
    pub told: Seq,
    pub tells_since: Option<Millis>,
    /// The entries that it has delivered in the calm by frames of their own.
    frames: BTreeSet<Seq>,
    /// The same with those that were delivered by answers.
    delivered: BTreeSet<Seq>,
    /// The head of the first answer. The client has or fetches all up to it: frames may come before the answer, and
    /// those of several nodes in any order.
    first_head: Option<Seq>,
}

impl Protocol {
    /// Records a command of the client, whose node has to know this head.
    pub fn on_command(&mut self, command: &ClientCommand, known: Seq) {
        if let ClientCommand::Watch { after, .. } = command {
            if self.watches == 0 {
                self.known = known;
            }
            self.watches += 1;
            self.unanswered += 1;
            self.known_since = Some(known).filter(|_| self.unanswered == 1);
            self.after = Some(after.unwrap_or_default()).filter(|_| self.watches == 1);
        }
    }

    /// Records an event, and returns what is wrong with it. The log had the head `subscribed_at` when its node was
    /// subscribed last. In the calm no frame is doubled.
    pub fn on_event(
        &mut self,
        event: &ServerEvent,
        subscribed_at: Seq,
        is_calm: bool,
        now: Millis,
    ) -> Option<String> {
        let seq = match event {
            ServerEvent::Watched {
                head,
                entries,
                reset,
                ..
            } => {
                self.told = self.told.max(*head);
                self.tells_since.get_or_insert(now);
                if self.first_head.is_none() {
                    self.first_head = Some(*head);
                    self.delivered.extend(is_calm.then_some(*head));
                }
                self.delivered
                    .extend(entries.iter().filter(|_| is_calm).map(LogEntry::seq));
                let known = self.take_known(subscribed_at);
                return self.error(*head, known, entries, *reset);
            }
            ServerEvent::Refused(refusal) => {
                if refusal.command == CommandName::Watch {
                    // Either the answer, or the notice of an interruption.
                    self.unanswered = self.unanswered.saturating_sub(1);
                    self.tells_since = None;
                }
                return None;
            }
            ServerEvent::HeadAdvanced { head, .. } => {
                self.told = self.told.max(*head);
                return None;
            }
            ServerEvent::MessagePosted { message, .. } => message.seq,
            ServerEvent::MessageDeleted { entry, .. } => entry.seq,
            _ => return None,
        };
        self.told = self.told.max(seq);
        if !is_calm {
            return None;
        }
        self.delivered.insert(seq);
        let is_new = self.frames.insert(seq);
        (!is_new).then(|| format!("{seq} is delivered twice"))
    }

    /// Returns the first number that was not delivered in the calm, although one before it and one after it were.
    pub fn skipped(&self) -> Option<Seq> {
        let from = self.first_head.unwrap_or_default();
        let delivered = self.delivered.range(from..);
        let mut pairs = delivered.clone().zip(delivered.skip(1));
        pairs.find_map(|(seq, next)| (*next != seq.next()).then(|| seq.next()))
    }

    /// The head that the answer to a `watch` has at least: the node has read it when it was subscribed, and not before its
    /// last interruption.
    fn take_known(&mut self, subscribed_at: Seq) -> Seq {
        let mut known = self.known;
        if self.watches == 1 && !self.is_uncertain {
            // It was not unsubscribed since.
            known = known.max(subscribed_at);
        }
        if self.unanswered == 1 && !self.is_uncertain {
            known = known.max(self.known_since.unwrap_or_default());
        }
        self.unanswered = self.unanswered.saturating_sub(1);
        known
    }

    /// Returns what is wrong with an answer: its head is what the node has to know, its entries end there and tell nothing
    /// that was deleted, and the first one follows the client's last one, unless it starts anew.
    fn error(&self, head: Seq, known: Seq, entries: &[LogEntry], reset: bool) -> Option<String> {
        if head < known {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(numbers: &[u64], first_head: u64) -> Option<Seq> {
        let protocol = Protocol {
            delivered: numbers.iter().copied().map(Seq::new).collect(),
            first_head: Some(Seq::new(first_head)),
            ..Protocol::default()
        };
        protocol.skipped()
    }

    #[test]
    fn a_frame_before_the_first_answer_may_be_an_older_one() {
        // 437 came after 438, of which only the answer tells.
        assert_eq!(delivered(&[437, 438, 439], 438), None);
        assert_eq!(delivered(&[435, 438, 439], 438), None);
        assert_eq!(delivered(&[437, 438, 440], 438), Some(Seq::new(439)));
    }
}
