//! What was deleted is what somebody wanted to have deleted.

use app::model::{LogEntry, MessageId};

use super::{Conversations, first_few};
use crate::recorder::{AskedDeletion, Deletions};
use crate::restores::Restores;

/// Every confirmed deletion is stored, and none that nobody has asked for. (That each is stored once is another check.)
pub fn deletions(
    asked: &Deletions,
    conversations: &Conversations,
    restores: &Restores,
) -> Vec<String> {
    let stored = conversations.values().flatten();
    let deleted = stored.filter(|entry| matches!(entry, LogEntry::DeletedMessage(_)));
    let unasked = deleted.filter(|entry| !asked.contains_key(&entry.id()));
    let unasked = unasked.map(|entry| format!("{} is deleted, and nobody asked", entry.seq()));
    let missing = asked
        .iter()
        .filter(|(_, deletion)| deletion.is_final(restores))
        .filter_map(|(id, deletion)| missing(*id, deletion, conversations));
    first_few(unasked.chain(missing).collect())
}

fn missing(id: MessageId, asked: &AskedDeletion, conversations: &Conversations) -> Option<String> {
    let stored = conversations.get(&asked.upload)?;
    let mut stored = stored.iter().filter(|entry| entry.id() == id);
    let is_deleted = matches!(stored.next(), Some(LogEntry::DeletedMessage(_)));
    let (key, seq) = (&asked.key, asked.seq);
    (!is_deleted).then(|| format!("the deletion of {key} ({seq}) was confirmed and is lost"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use app::model::{Seq, Timestamp};

    use super::super::fixture::{id, log_with_deletion, messages, upload};
    use super::*;

    fn asked(number: u64, is_confirmed: bool) -> (MessageId, AskedDeletion) {
        let message = messages([number]).remove(0);
        let asked = AskedDeletion {
            upload: upload(),
            seq: Seq::new(number),
            key: message.client_message_id,
            confirmed: is_confirmed
                .then_some([message.created_at; 2])
                .into_iter()
                .collect(),
        };
        (id(number), asked)
    }

    /// Checks a log in which message 2 is deleted.
    fn check(asked: &[(MessageId, AskedDeletion)], restores: &Restores) -> Vec<String> {
        let conversations = Conversations::from([(upload(), log_with_deletion(4, 2))]);
        let asked: HashMap<_, _> = asked.iter().cloned().collect();
        deletions(&asked, &conversations, restores)
    }

    #[test]
    fn a_lost_and_an_unwanted_deletion_are_found() {
        let no_restore = Restores::default();
        let wanted = [asked(2, true), asked(3, false)];
        assert_eq!(check(&wanted, &no_restore), [""; 0]);
        let unwanted = check(&[], &no_restore);
        assert_eq!(unwanted, ["2 is deleted, and nobody asked"]);
        let lost = [asked(2, false), asked(3, true)];
        let found = check(&lost, &no_restore);
        assert_eq!(found, ["the deletion of m3 (3) was confirmed and is lost"]);
        let time = lost[1].1.confirmed[0][0].unix_millis();
        let at = |millis| Timestamp::from_unix_millis(millis).unwrap();
        let restores = Restores::between([[at(time - 1), at(time + 1)]]);
        assert_eq!(check(&lost, &restores), [""; 0]);
    }
}
