//! Checks what one socket delivers: the browser's state machine would correct most of it.

use std::collections::HashSet;

use app::event::{ClientCommand, ServerEvent};
use app::model::{LogEntry, Seq};

/// The state of one socket.
#[derive(Debug, Default)]
pub struct ProtocolCheck {
    /// After which message the first `watch` asked; later ones ask after later messages.
    after: Option<Seq>,
    watches: usize,
    posted: HashSet<Seq>,
}

impl ProtocolCheck {
    pub fn on_command(&mut self, command: &ClientCommand) {
        if let ClientCommand::Watch { after, .. } = command {
            self.after.get_or_insert(after.unwrap_or_default());
            self.watches += 1;
        }
    }

    /// What is wrong with an event.
    pub fn on_event(&mut self, event: &ServerEvent) -> Option<String> {
        match event {
            ServerEvent::MessagePosted { message, .. } if !self.posted.insert(message.seq) => {
                Some(format!("messagePosted came twice with {}", message.seq))
            }
            ServerEvent::Watched {
                head,
                entries,
                reset: true,
                ..
            } => {
                // From here on numbers and entries are of another history.
                self.posted.clear();
                let first = entries.first().map(|first| first.seq().previous());
                self.after = first.or(Some(*head));
                self.on_watched(*head, entries)
            }
            ServerEvent::Watched { head, entries, .. } => self.on_watched(*head, entries),
            _ => None,
        }
    }

    fn on_watched(&self, head: Seq, entries: &[LogEntry]) -> Option<String> {
        let (first, last) = (entries.first()?.seq(), entries.last()?.seq());
        let after = self.after.unwrap_or_default();
        if last != head {
            return Some(format!("watched has head {head} and entries up to {last}"));
        }
        if first <= after {
            return Some(format!(
                "watched repeats {first} to a client that had {after}"
            ));
        }
        // Which of several watches is answered is not known.
        let before = if self.watches == 1 {
            after
        } else {
            Seq::new(first.get() - 1)
        };
        sequence_error(before, entries.iter().map(LogEntry::seq))
            .map(|error| format!("watched has entries in which {error}"))
    }
}

/// Why these are not the numbers that follow that one.
pub fn sequence_error(after: Seq, numbers: impl IntoIterator<Item = Seq>) -> Option<String> {
    let (expected, seq) = (after.get() + 1..)
        .zip(numbers)
        .find(|(expected, seq)| *expected != seq.get())?;
    Some(format!(
        "{seq} stands where {expected} is expected (after {after})"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::fixture::{messages, upload};

    fn watched(numbers: &[u64], head: u64) -> ServerEvent {
        ServerEvent::Watched {
            upload_id: upload(),
            head: Seq::new(head),
            entries: messages(numbers.iter().copied())
                .into_iter()
                .map(LogEntry::Message)
                .collect(),
            reset: false,
        }
    }

    fn after_watch(after: u64) -> ProtocolCheck {
        let mut check = ProtocolCheck::default();
        check.on_command(&watch(after));
        check
    }

    fn watch(after: u64) -> ClientCommand {
        ClientCommand::Watch {
            upload_id: upload().to_string().parse().unwrap(),
            after: Some(Seq::new(after)),
            after_id: None,
            viewer: None,
        }
    }

    #[test]
    fn after_a_reset_numbers_come_again() {
        let reset = |numbers: &[u64], head| match watched(numbers, head) {
            ServerEvent::Watched {
                upload_id,
                head,
                entries,
                ..
            } => ServerEvent::Watched {
                upload_id,
                head,
                entries,
                reset: true,
            },
            other => other,
        };
        let mut check = after_watch(9);
        assert_eq!(check.on_event(&reset(&[4, 5], 5)), None);
        assert!(check.on_event(&reset(&[4, 6], 6)).is_some());
        assert_eq!(check.on_event(&reset(&[], 0)), None);
    }

    #[test]
    fn what_follows_is_fine() {
        assert_eq!(sequence_error(Seq::new(3), (4..=6).map(Seq::new)), None);
        assert_eq!(after_watch(3).on_event(&watched(&[4, 5], 5)), None);
        assert_eq!(after_watch(3).on_event(&watched(&[], 9)), None);
    }

    #[test]
    fn the_answer_to_one_of_several_watches_may_begin_later() {
        assert!(after_watch(3).on_event(&watched(&[5, 6], 6)).is_some());
        let mut twice = after_watch(3);
        twice.on_command(&watch(4));
        assert_eq!(twice.on_event(&watched(&[5, 6], 6)), None);
    }

    #[test]
    fn repeated_missing_and_cut_off_messages_are_found() {
        assert!(sequence_error(Seq::new(3), (3..=6).map(Seq::new)).is_some());
        assert!(sequence_error(Seq::new(3), (5..=6).map(Seq::new)).is_some());
        for (numbers, head) in [(&[3, 4][..], 4), (&[4, 6], 6), (&[4, 5], 6)] {
            assert!(after_watch(3).on_event(&watched(numbers, head)).is_some());
        }
    }

    #[test]
    fn a_frame_that_comes_twice_is_found() {
        let event = |number| ServerEvent::MessagePosted {
            upload_id: upload(),
            message: messages([number]).remove(0),
        };
        let mut check = after_watch(0);
        assert_eq!(check.on_event(&event(2)), None);
        assert_eq!(check.on_event(&event(1)), None);
        assert!(check.on_event(&event(2)).is_some());
    }
}
