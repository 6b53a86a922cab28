//! What one socket tells, judged by the protocol: the browser's state machine would put most of it right.

use std::collections::HashSet;

use app::event::{ClientCommand, ServerEvent};
use app::model::{Message, Seq};

/// The events of one socket.
#[derive(Debug, Default)]
pub struct Stream {
    /// After which message the first `watch` asked; later ones ask after later messages.
    after: Option<Seq>,
    watches: usize,
    posted: HashSet<Seq>,
}

impl Stream {
    /// The client sends a command.
    pub fn told(&mut self, command: &ClientCommand) {
        if let ClientCommand::Watch { after, .. } = command {
            self.after.get_or_insert(after.unwrap_or_default());
            self.watches += 1;
        }
    }

    /// What is wrong with an event.
    pub fn judge(&mut self, event: &ServerEvent) -> Option<String> {
        match event {
            ServerEvent::MessagePosted { message, .. } if !self.posted.insert(message.seq) => {
                Some(format!("messagePosted came twice with {}", message.seq))
            }
            ServerEvent::Watched { head, messages, .. } => self.judge_watched(*head, messages),
            _ => None,
        }
    }

    fn judge_watched(&self, head: Seq, messages: &[Message]) -> Option<String> {
        let (first, last) = (messages.first()?.seq, messages.last()?.seq);
        let after = self.after.unwrap_or_default();
        if last != head {
            return Some(format!("watched told {head} with messages up to {last}"));
        }
        if first <= after {
            return Some(format!("watched told {first} again to one who had {after}"));
        }
        // Which of several watches is answered is not told.
        let before = if self.watches == 1 {
            after
        } else {
            Seq::new(first.get() - 1)
        };
        misfit(before, messages).map(|fault| format!("watched told messages that {fault}"))
    }
}

/// Why these are not the messages that follow that number.
pub fn misfit(after: Seq, messages: &[Message]) -> Option<String> {
    let mut due = after.next();
    for message in messages {
        if message.seq != due {
            return Some(format!(
                "go on with {} where {due} is due (after {after})",
                message.seq
            ));
        }
        due = due.next();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::fixture::{messages, upload};

    fn watched(numbers: &[u64], head: u64) -> ServerEvent {
        ServerEvent::Watched {
            upload_id: upload(),
            head: Seq::new(head),
            messages: messages(numbers.iter().copied()),
        }
    }

    fn stream(after: u64) -> Stream {
        let mut stream = Stream::default();
        stream.told(&watch(after));
        stream
    }

    fn watch(after: u64) -> ClientCommand {
        ClientCommand::Watch {
            upload_id: upload().to_string().parse().unwrap(),
            after: Some(Seq::new(after)),
        }
    }

    #[test]
    fn what_follows_is_fine() {
        assert_eq!(misfit(Seq::new(3), &messages(4..=6)), None);
        assert_eq!(stream(3).judge(&watched(&[4, 5], 5)), None);
        assert_eq!(stream(3).judge(&watched(&[], 9)), None);
    }

    #[test]
    fn the_answer_to_one_of_several_watches_may_begin_later() {
        assert!(stream(3).judge(&watched(&[5, 6], 6)).is_some());
        let mut twice = stream(3);
        twice.told(&watch(4));
        assert_eq!(twice.judge(&watched(&[5, 6], 6)), None);
    }

    #[test]
    fn what_is_told_again_left_out_or_cut_off_is_found() {
        assert!(misfit(Seq::new(3), &messages(3..=6)).is_some());
        assert!(misfit(Seq::new(3), &messages(5..=6)).is_some());
        for (numbers, head) in [(&[3, 4][..], 4), (&[4, 6], 6), (&[4, 5], 6)] {
            assert!(stream(3).judge(&watched(numbers, head)).is_some());
        }
    }

    #[test]
    fn a_frame_that_comes_twice_is_found() {
        let event = |number| ServerEvent::MessagePosted {
            upload_id: upload(),
            message: messages([number]).remove(0),
        };
        let mut stream = stream(0);
        assert_eq!(stream.judge(&event(2)), None);
        assert_eq!(stream.judge(&event(1)), None);
        assert!(stream.judge(&event(2)).is_some());
    }
}
