//! Nothing that was acknowledged is lost.

use std::collections::HashMap;

use app::model::{ClientMessageId, Message};

use super::{Conversations, told};

/// Every acknowledged message stands in the store as it was acknowledged. (That it stands there once is another
/// check.)
pub fn acknowledged(
    acknowledged: &HashMap<ClientMessageId, Message>,
    conversations: &Conversations,
) -> Vec<String> {
    let faults = acknowledged.values().filter_map(|message| {
        let stored = conversations.get(&message.upload_id)?;
        let place = usize::try_from(message.seq.get()).ok()?.checked_sub(1)?;
        match stored.get(place) {
            Some(there) if there == message => None,
            _ => Some(lost(message, stored)),
        }
    });
    told(faults.collect())
}

fn lost(message: &Message, stored: &[Message]) -> String {
    let (name, seq) = (&message.client_message_id, message.seq);
    let elsewhere = stored.iter().find(|it| it.client_message_id == *name);
    match elsewhere {
        Some(other) if other.seq != seq => {
            format!(
                "{name} was acknowledged as {seq} and is stored as {}",
                other.seq
            )
        }
        Some(_) => format!("{name} is not stored as it was acknowledged"),
        None => format!("{name} was acknowledged as {seq} and is lost"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{messages, upload};
    use super::*;

    fn faults(acked: Vec<Message>, stored: Vec<Message>) -> Vec<String> {
        let acked = acked
            .into_iter()
            .map(|it| (it.client_message_id.clone(), it));
        acknowledged(&acked.collect(), &HashMap::from([(upload(), stored)]))
    }

    #[test]
    fn what_is_stored_as_it_was_acknowledged_is_fine() {
        assert!(faults(messages(2..=4), messages(1..=5)).is_empty());
    }

    #[test]
    fn what_is_lost_moved_or_changed_is_told() {
        let lost = faults(messages([6]), messages(1..=5));
        assert_eq!(lost, ["m6 was acknowledged as 6 and is lost"]);
        let mut moved = messages([3]);
        moved[0].seq = messages([2])[0].seq;
        assert_eq!(
            faults(moved, messages(1..=5)),
            ["m3 was acknowledged as 2 and is stored as 3"]
        );
        let mut changed = messages([3]);
        changed[0].content = "another text".parse().unwrap();
        assert_eq!(faults(changed, messages(1..=5)).len(), 1);
    }
}
