//! The newest messages of a watched topic, so that clients that come back cost no store read.

use std::collections::BTreeMap;

use app::model::{Message, MessagePage, Seq};

/// How many messages a node keeps of each watched topic; of more, the oldest go. A client that is further behind pages
/// over HTTP.
pub(super) const MAX_RECENT: usize = 64;
/// How many bytes of texts these have at most; beyond it the oldest go.
const MAX_RECENT_BYTES: usize = 256 * 1024;

/// How far beyond what is known a message's number may be and the message be passed on before the store was asked: those
/// of several nodes come out of order.
const MAX_AHEAD: u64 = 1_024;

/// How far a conversation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// The highest number that is known to be stored.
    pub head: Seq,
    /// The highest number that every socket was told of, and that is known to be stored.
    pub told: Seq,
    /// The highest number that a frame named, while it is beyond the head.
    pub claimed: Option<Seq>,
}

/// What a node knows of a conversation that its sockets watch.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// There may be holes between them: frames may be lost.
    messages: BTreeMap<Seq, Message>,
    bytes: usize,
    /// The highest number that is known to be stored: the store said so, or frames told of all numbers up to it.
    head: Seq,
    /// The highest number that a frame named, while it is beyond `head`.
    claimed: Option<Seq>,
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

    /// How far it has come.
    pub(super) fn progress(&self) -> Progress {
        Progress {
            head: self.head,
            told: self.told,
            claimed: self.claimed,
        }
    }

    /// A frame says that this message was posted; whether to pass it on.
    pub(super) fn posted(&mut self, message: Message) -> bool {
        let seq = message.seq;
        let ahead = seq.get().saturating_sub(self.head.get());
        // Before the store was asked nothing is known of how far it may have come.
        let is_told = ahead <= MAX_AHEAD || !self.proven;
        if is_told {
            // What is known already may be the store's own word, and a frame is not.
            if !self.messages.contains_key(&seq) {
                self.keep(message);
            }
            self.advance();
        }
        self.heard_of(seq);
        is_told
    }

    /// Numbers are dense: the next one is stored if a frame told of it.
    fn advance(&mut self) {
        let next = |head: Seq| head.get().checked_add(1).map(Seq::new);
        while let Some(next) = next(self.head).filter(|next| self.messages.contains_key(next)) {
            self.head = next;
            self.told = next;
        }
        self.claimed = self.claimed.filter(|claimed| *claimed > self.head);
    }

    fn heard_of(&mut self, seq: Seq) {
        if seq <= self.head {
            self.told = self.told.max(seq);
        } else {
            self.claimed = self.claimed.max(Some(seq));
        }
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

    /// A frame says how far the conversation has come; whether to pass it on.
    pub(super) fn head_advanced(&mut self, head: Seq) -> bool {
        self.heard_of(head);
        head <= self.head
    }

    /// What the store said. It proves the head if it was asked while frames flowed and they have flowed since.
    pub(super) fn read(&mut self, page: &MessagePage, frames_flowed: bool) {
        self.head = self.head.max(page.head);
        for message in &page.messages {
            self.keep(message.clone());
        }
        self.advance();
        self.proven |= frames_flowed;
    }

    /// Forgets what had been heard `before` the store was asked and is more than it has `stored`; whether there was such.
    pub(super) fn refute(&mut self, before: Progress, stored: Seq) -> bool {
        let is_claim_false = before.claimed.is_some_and(|claimed| claimed > stored)
            && self.claimed == before.claimed;
        if is_claim_false {
            self.claimed = None;
        }
        let is_head_false = before.head > stored;
        if is_head_false {
            self.head = stored;
            self.told = self.told.min(stored);
            self.proven = false;
        }
        if is_claim_false || is_head_false {
            self.messages.retain(|seq, _| *seq <= self.head);
            self.bytes = self.messages.values().map(size).sum();
        }
        is_claim_false || is_head_false
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
        let has_all = |missing| self.newer(after).count() as u64 == missing;
        let is_sure = self.proven && self.claimed.is_none();
        is_sure && missing.is_some_and(|it| it > MAX_RECENT as u64 || has_all(it))
    }

    /// The kept messages after `after`, up to the head.
    fn newer(&self, after: Seq) -> impl Iterator<Item = (&Seq, &Message)> {
        let newer = self.messages.range(after.next()..);
        newer.take_while(|(seq, _)| **seq <= self.head)
    }

    /// What comes after `after`, as the store would answer: the head, and all messages up to it when they are at most
    /// [`MAX_RECENT`], else none. `None` when only the store knows.
    pub(super) fn after(&self, after: Seq) -> Option<MessagePage> {
        self.knows(after).then(|| {
            let missing = self.head.get() - after.get();
            let newer = (missing <= MAX_RECENT as u64).then(|| self.newer(after));
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
        assert_eq!(numbers(&recent, 3), None, "the store has not said so");
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
    fn frames_of_several_nodes_may_come_out_of_order() {
        let mut recent = Recent::default();
        recent.read(&page(1..=2, 2), true);
        assert!(recent.posted(message(5)) && recent.posted(message(4)));
        assert_eq!(recent.progress().claimed, Some(Seq::new(5)));
        assert!(recent.posted(message(3)));
        let (head, told) = (Seq::new(5), Seq::new(5));
        let claimed = None;
        assert_eq!(
            recent.progress(),
            Progress {
                head,
                told,
                claimed
            }
        );
        assert_eq!(numbers(&recent, 2), Some((vec![3, 4, 5], 5)));
    }

    type Claim = fn(&mut Recent) -> bool;

    #[test]
    fn a_number_that_the_store_does_not_have_is_forgotten() {
        let known = || {
            let mut recent = Recent::default();
            recent.read(&page(1..=2, 2), true);
            recent
        };
        let far = Seq::new(u64::MAX);
        let claims: [(Claim, bool); 3] = [
            (|recent| recent.head_advanced(Seq::new(u64::MAX)), false),
            (|recent| recent.posted(message(u64::MAX)), false),
            (|recent| recent.posted(message(9)), true),
        ];
        for (claim, is_told) in claims {
            let mut recent = known();
            assert_eq!(claim(&mut recent), is_told);
            assert_eq!(recent.progress().head, Seq::new(2));
            assert_eq!(numbers(&recent, 0), None, "the store is asked");
            let before = recent.progress();
            recent.read(&page(1..=2, 2), true);
            assert!(recent.refute(before, Seq::new(2)));
            assert_eq!(numbers(&recent, 0), Some((vec![1, 2], 2)));
            assert!(!recent.refute(recent.progress(), Seq::new(2)));
        }
        // One that comes while the store is asked is not refuted by its answer.
        let mut recent = known();
        recent.head_advanced(Seq::new(7));
        let before = recent.progress();
        recent.head_advanced(far);
        assert!(!recent.refute(before, Seq::new(2)));
        assert_eq!(recent.progress().claimed, Some(far));
    }

    #[test]
    fn a_next_message_that_the_store_does_not_have_is_forgotten() {
        let mut recent = Recent::default();
        recent.read(&page(1..=2, 2), true);
        recent.posted(message(3));
        let before = recent.progress();
        assert_eq!(before.head, Seq::new(3));
        assert!(recent.refute(before, Seq::new(2)));
        assert_eq!(numbers(&recent, 0), None, "the store has to be asked again");
        recent.read(&page(1..=2, 2), true);
        assert_eq!(numbers(&recent, 0), Some((vec![1, 2], 2)));
        let sizes = recent.messages.values().map(size);
        assert_eq!(recent.bytes, sizes.sum::<usize>());
    }

    #[test]
    fn what_one_socket_was_answered_is_news_to_the_others() {
        let mut recent = Recent::default();
        recent.posted(message(1));
        recent.read(&page(2..=3, 3), true);
        let Progress { head, told, .. } = recent.progress();
        assert_eq!((head, told), (Seq::new(3), Seq::new(1)));
        recent.head_advanced(Seq::new(3));
        assert_eq!(recent.progress().told, Seq::new(3));
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
