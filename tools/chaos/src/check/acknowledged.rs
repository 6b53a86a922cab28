//! No acknowledged message is lost.

use app::model::{LogEntry, Message};

use super::{Conversations, first_few};

/// Every acknowledged message is stored as it was acknowledged, unless it is deleted. (That it is stored once, and that
/// somebody has deleted it, are other checks.)
pub fn acknowledged<'a>(
    acknowledged: impl IntoIterator<Item = &'a Message>,
    conversations: &Conversations,
) -> Vec<String> {
    let lost = acknowledged.into_iter().filter_map(|message| {
        let stored = conversations.get(&message.upload_id)?;
        let place = usize::try_from(message.seq.get()).ok()?.checked_sub(1)?;
        let is_stored = match stored.get(place) {
            Some(LogEntry::Message(stored)) => stored == message,
            Some(LogEntry::DeletedMessage(deleted)) => deleted.id == message.id,
            _ => false,
        };
        (!is_stored).then(|| describe(message, stored))
    });
    first_few(lost.collect())
}

fn describe(message: &Message, stored: &[LogEntry]) -> String {
    let (name, seq) = (&message.client_message_id, message.seq);
    let mut stored = stored.iter().filter_map(LogEntry::message);
    match stored.find(|it| it.client_message_id == *name) {
        Some(it) if it.seq != seq => {
            format!(
                "{name} was acknowledged as {seq} and is stored as {}",
                it.seq
            )
        }
        Some(_) => format!("{name} is not stored as it was acknowledged"),
        None => format!("{name} was acknowledged as {seq} and is lost"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{log_with_deletion, messages, upload};
    use super::*;

    #[test]
    fn what_is_lost_moved_or_changed_is_found() {
        // Message 5 is deleted by entry 6.
        let stored = Conversations::from([(upload(), log_with_deletion(5, 5))]);
        assert!(acknowledged(&messages(2..=5), &stored).is_empty());
        let lost = acknowledged(&messages([6]), &stored);
        assert_eq!(lost, ["m6 was acknowledged as 6 and is lost"]);
        let mut moved = messages([3]);
        moved[0].seq = messages([2])[0].seq;
        let moved = acknowledged(&moved, &stored);
        assert_eq!(moved, ["m3 was acknowledged as 2 and is stored as 3"]);
        let mut changed = messages([3]);
        changed[0].content = "another text".parse().unwrap();
        assert_eq!(acknowledged(&changed, &stored).len(), 1);
    }
}
