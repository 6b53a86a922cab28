//! The newest messages of a watched topic, so that clients that come back cost no store read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use app::model::{Message, MessagePage, Seq};

/// How many messages a node keeps of each watched topic; of more, the oldest go. A client that is further behind pages
/// over HTTP.
pub(super) const MAX_RECENT: usize = 64;
/// How many bytes of texts these have at most; beyond it the oldest go.
const MAX_RECENT_BYTES: usize = 256 * 1024;
/// How many bytes of texts a node keeps of all topics together. Beyond it a topic that hears of something new keeps only
/// that, and the store answers for the rest.
const MAX_NODE_BYTES: usize = 64 * 1024 * 1024;

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
    /// The bytes of all topics of the node.
    node_bytes: Arc<AtomicUsize>,
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
    /// Knows nothing yet; what it keeps counts for the node.
    pub(super) fn new(node_bytes: Arc<AtomicUsize>) -> Self {
        let mut recent = Self::default();
        recent.node_bytes = node_bytes;
        recent
    }

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
        self.count(self.bytes + size(&message));
        if let Some(known) = self.messages.insert(message.seq, message) {
            self.count(self.bytes - size(&known));
        }
        while self.keeps_too_much()
            && let Some((_, oldest)) = self.messages.pop_first()
        {
            self.count(self.bytes - size(&oldest));
        }
    }

    fn keeps_too_much(&self) -> bool {
        let is_large = self.bytes > MAX_RECENT_BYTES
            || self.node_bytes.load(Ordering::Relaxed) > MAX_NODE_BYTES;
        self.messages.len() > MAX_RECENT || self.messages.len() > 1 && is_large
    }

    fn count(&mut self, bytes: usize) {
        self.node_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.node_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = bytes;
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
            self.count(self.messages.values().map(size).sum());
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

impl Drop for Recent {
    fn drop(&mut self) {
        self.count(0);
    }
}

fn size(message: &Message) -> usize {
    message.author_name.as_str().len() + message.content.as_str().len()
}

#[cfg(test)]
mod tests;
