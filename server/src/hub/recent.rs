//! The newest messages of a watched topic, so that clients that come back cost no store read.

use std::collections::BTreeMap;

use app::model::{Message, MessagePage, Seq};

/// How many messages a node keeps of each watched topic; of more, the oldest go. A client that is further behind pages
/// over HTTP.
pub(super) const MAX_RECENT: usize = 64;
/// How many bytes of texts these have at most; beyond it the oldest go.
const MAX_RECENT_BYTES: usize = 256 * 1024;

/// What a node knows of a conversation that its sockets watch.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// There may be holes between them: frames may be lost.
    messages: BTreeMap<Seq, Message>,
    bytes: usize,
    /// The highest number that is known to be stored.
    head: Seq,
    /// The highest number that every socket was told of. The answer to one socket's `watch` tells the others nothing.
    told: Seq,
    /// Whether `head` was the store's head at a moment since which frames flow.
    proven: bool,
}

impl Recent {
    /// The highest number that is known to be stored.
    pub(super) fn head(&self) -> Seq {
        self.head
    }

    /// The highest number that every socket was told of.
    pub(super) fn told(&self) -> Seq {
        self.told
    }

    /// A frame told everyone that this message was posted.
    pub(super) fn posted(&mut self, message: Message) {
        self.head_advanced(message.seq);
        self.keep(message);
    }

    fn keep(&mut self, message: Message) {
        self.bytes += size(&message);
        if let Some(known) = self.messages.insert(message.seq, message) {
            self.bytes -= size(&known);
        }
        while self.messages.len() > MAX_RECENT || self.bytes > MAX_RECENT_BYTES {
            let Some((_, oldest)) = self.messages.pop_first() else {
                return;
            };
            self.bytes -= size(&oldest);
        }
    }

    /// A frame told everyone how far the conversation has come.
    pub(super) fn head_advanced(&mut self, head: Seq) {
        self.head = self.head.max(head);
        self.told = self.told.max(head);
    }

    /// What the store said. It proves the head if it was asked while frames flowed and they have flowed since.
    pub(super) fn read(&mut self, page: &MessagePage, frames_flowed: bool) {
        self.head = self.head.max(page.head);
        for message in &page.messages {
            self.keep(message.clone());
        }
        self.proven |= frames_flowed;
    }

    /// Frames may have been lost: the store has to be asked again.
    pub(super) fn doubt(&mut self) {
        self.proven = false;
    }

    /// Whether [`Recent::after`] is answered from memory.
    pub(super) fn knows(&self, after: Seq) -> bool {
        // A client that has more than this node heard of shows that a frame was lost.
        let missing = self.head.get().checked_sub(after.get());
        // The numbers are dense, so that the count shows a hole.
        let has_all = |missing| self.messages.range(after.next()..).count() as u64 == missing;
        self.proven && missing.is_some_and(|it| it > MAX_RECENT as u64 || has_all(it))
    }

    /// What comes after `after`, as the store would answer: the head, and all messages up to it when they are at most
    /// [`MAX_RECENT`], else none. `None` when only the store knows.
    pub(super) fn after(&self, after: Seq) -> Option<MessagePage> {
        self.knows(after).then(|| {
            let missing = self.head.get() - after.get();
            let newer = (missing <= MAX_RECENT as u64).then(|| self.messages.range(after.next()..));
            let newer = newer.into_iter().flatten();
            MessagePage {
                messages: newer.map(|(_, message)| message.clone()).collect(),
                head: self.head,
            }
        })
    }
}

fn size(message: &Message) -> usize {
    message.author_name.as_str().len() + message.content.as_str().len()
}

#[cfg(test)]
mod tests {
    use app::model::{NewMessage, Timestamp, UploadId};

    use super::*;
    use crate::ids;
    use crate::store::Draft;

    fn message(seq: u64) -> Message {
        let draft = Draft {
            id: ids::message_id(),
            message: NewMessage {
                author_name: "Ada".parse().unwrap(),
                content: format!("text {seq}").parse().unwrap(),
                client_message_id: ids::client_message_id(),
            },
            created_at: Timestamp::from_unix_millis(0).unwrap(),
        };
        draft.into_message(UploadId::from_bytes([1; 12]), Seq::new(seq))
    }

    fn page(seqs: std::ops::RangeInclusive<u64>, head: u64) -> MessagePage {
        MessagePage {
            messages: seqs.map(message).collect(),
            head: Seq::new(head),
        }
    }

    fn numbers(recent: &Recent, after: u64) -> Option<(Vec<u64>, u64)> {
        let page = recent.after(Seq::new(after))?;
        let numbers = page.messages.iter().map(|message| message.seq.get());
        Some((numbers.collect(), page.head.get()))
    }

    #[test]
    fn only_the_store_knows_before_it_was_asked() {
        let mut recent = Recent::default();
        assert_eq!(numbers(&recent, 0), None);
        recent.posted(message(1));
        assert_eq!(numbers(&recent, 0), None);
        recent.read(&MessagePage::default(), true);
        assert_eq!(numbers(&recent, 0), Some((vec![1], 1)));
    }

    #[test]
    fn frames_keep_it_up_to_date() {
        let mut recent = Recent::default();
        recent.read(&page(3..=4, 4), true);
        recent.posted(message(5));
        recent.posted(message(4));
        assert_eq!(numbers(&recent, 2), Some((vec![3, 4, 5], 5)));
        assert_eq!(numbers(&recent, 5), Some((vec![], 5)));
        assert_eq!(numbers(&recent, 1), None, "number 2 was never heard of");
    }

    #[test]
    fn a_lost_frame_sends_those_behind_it_to_the_store() {
        let mut recent = Recent::default();
        recent.read(&page(1..=2, 2), true);
        recent.posted(message(4));
        assert_eq!(numbers(&recent, 2), None);
        assert_eq!(numbers(&recent, 3), Some((vec![4], 4)));
        recent.head_advanced(Seq::new(5));
        assert_eq!(numbers(&recent, 3), None);
        recent.read(&page(3..=5, 5), true);
        assert_eq!(numbers(&recent, 0), Some((vec![1, 2, 3, 4, 5], 5)));
    }

    #[test]
    fn a_client_ahead_of_the_node_sends_it_to_the_store() {
        let mut recent = Recent::default();
        recent.read(&page(1..=2, 2), true);
        assert_eq!(numbers(&recent, 3), None);
    }

    #[test]
    fn nothing_is_answered_from_memory_while_frames_may_be_lost() {
        let mut recent = Recent::default();
        recent.read(&page(1..=2, 2), true);
        recent.doubt();
        assert_eq!(numbers(&recent, 1), None);
        recent.read(&page(1..=2, 2), false);
        assert_eq!(numbers(&recent, 1), None, "that was read before");
        recent.read(&page(1..=2, 2), true);
        assert_eq!(numbers(&recent, 1), Some((vec![2], 2)));
    }

    #[test]
    fn what_one_socket_was_answered_is_news_to_the_others() {
        let mut recent = Recent::default();
        recent.posted(message(1));
        recent.read(&page(2..=3, 3), true);
        assert_eq!((recent.head(), recent.told()), (Seq::new(3), Seq::new(1)));
        recent.head_advanced(Seq::new(3));
        assert_eq!(recent.told(), Seq::new(3));
    }

    #[test]
    fn long_texts_are_kept_in_a_bounded_room() {
        let mut recent = Recent::default();
        recent.read(&MessagePage::default(), true);
        let content: app::model::MessageText = "🙂".repeat(2_000).parse().unwrap();
        for seq in 1..=64 {
            let content = content.clone();
            recent.posted(Message {
                content,
                ..message(seq)
            });
            recent.posted(message(1));
        }
        assert!(recent.bytes <= MAX_RECENT_BYTES);
        let sizes = recent.messages.values().map(size);
        assert_eq!(recent.bytes, sizes.sum::<usize>());
        assert!(recent.messages.len() > 30);
    }

    #[test]
    fn the_newest_are_kept_and_one_further_behind_pages_over_http() {
        let mut recent = Recent::default();
        recent.read(&MessagePage::default(), true);
        for seq in 1..=200 {
            recent.posted(message(seq));
        }
        let (kept, head) = numbers(&recent, 136).unwrap();
        assert_eq!((kept.len(), head), (MAX_RECENT, 200));
        assert_eq!(numbers(&recent, 135), Some((vec![], 200)));
        assert_eq!(recent.messages.len(), MAX_RECENT);
    }
}
