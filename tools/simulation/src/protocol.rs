//! What one socket delivers after a `watch`: the state machine would correct most of what is wrong with it.

use app::event::{ClientCommand, ServerEvent};
use app::model::{LogEntry, Seq};

/// The state of one socket.
#[derive(Default)]
pub struct Protocol {
    /// After which message the last `watch` asked, if there was only one.
    after: Option<Seq>,
    watches: usize,
}

impl Protocol {
    /// Records a command of the client.
    pub fn on_command(&mut self, command: &ClientCommand) {
        if let ClientCommand::Watch { after, .. } = command {
            self.watches += 1;
            self.after = Some(after.unwrap_or_default()).filter(|_| self.watches == 1);
        }
    }

    /// Returns what is wrong with an event: the entries of an answer end at its head, and the first one follows the
    /// client's last one, unless it starts anew.
    pub fn error(&self, event: &ServerEvent) -> Option<String> {
        let ServerEvent::Watched {
            head,
            entries,
            reset,
            ..
        } = event
        else {
            return None;
        };
        let numbers: Vec<Seq> = entries.iter().map(LogEntry::seq).collect();
        let (first, last) = (numbers.first()?, numbers.last()?);
        let has_gap = numbers.windows(2).any(|pair| pair[1] != pair[0].next());
        let is_late = self.after.is_some_and(|after| *first != after.next());
        (has_gap || last != head || is_late && !reset).then(|| {
            format!(
                "watched has {first} to {last}, head {head}, after {:?}",
                self.after
            )
        })
    }
}
