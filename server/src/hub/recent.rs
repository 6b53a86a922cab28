//! Keeps the newest entries of a watched topic's log, so that reconnecting clients cost no read of the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use app::model::{Cursor, LogEntry, LogPage, Seq};

/// The number of entries that are kept of each watched topic; older ones are dropped. A client that is further behind
/// reads pages over HTTP.
pub(super) const MAX_RECENT: usize = 64;
/// The bytes of text that are kept of a topic; beyond it the oldest entries are dropped.
const MAX_RECENT_BYTES: usize = 256 * 1024;
/// The bytes of text that are kept of all topics of a node. Beyond it, a topic that receives an entry keeps only that
/// one, and others are read from the store.
const MAX_NODE_BYTES: usize = 64 * 1024 * 1024;

/// How far beyond the head the number of an entry may be that is passed on without asking the store, because the
/// frames of several nodes can arrive out of order.
const MAX_AHEAD: u64 = 1_024;

/// The progress of a conversation, as far as a node knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// The highest number that is known to be stored.
    pub head: Seq,
    /// The highest stored number that has been announced to all sockets.
    pub announced: Seq,
    /// The highest number that a frame carried, if it is beyond the head.
    pub unconfirmed: Option<Seq>,
}

/// The newest entries of a log, and what the node knows about its head.
#[derive(Debug, Default)]
pub(super) struct RecentEntries {
    /// There may be gaps between them, because frames can be lost.
    entries: BTreeMap<Seq, LogEntry>,
    bytes: usize,
    /// The bytes of text of all topics of the node.
    node_bytes: Arc<AtomicUsize>,
    /// The highest number that is known to be stored: the store said so, or there were frames for all numbers up to it.
    head: Seq,
    /// The highest number that a frame carried, if it is beyond `head`.
    unconfirmed: Option<Seq>,
    /// The highest number that has been announced to all sockets. The answer to one socket's `watch` does not count.
    announced: Seq,
    /// The lowest number with which a frame carried another entry than the one that is kept: one of them is forged, or the
    /// store was restored while this node ran. The store has to be asked.
    conflict: Option<Seq>,
    /// Whether `head` was the store's head at a moment since which the subscription has not been interrupted.
    is_current: bool,
}

impl RecentEntries {
    /// Creates an empty cache, whose bytes are counted in `node_bytes`.
    pub(super) fn new(node_bytes: Arc<AtomicUsize>) -> Self {
        let mut recent = Self::default();
        recent.node_bytes = node_bytes;
        recent
    }

    /// The highest number that is known to be stored.
    pub(super) fn head(&self) -> Seq {
        self.head
    }

    /// The number of entries that are kept.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The progress of the conversation.
    pub(super) fn progress(&self) -> Progress {
        Progress {
            head: self.head,
            announced: self.announced,
            unconfirmed: self.unconfirmed,
        }
    }

    /// Handles a frame with an entry, and returns whether to pass the frame on.
    pub(super) fn on_appended(&mut self, entry: LogEntry) -> bool {
        let seq = entry.seq();
        let ahead = seq.get().saturating_sub(self.head.get());
        // Until the store has been asked, the head may be far beyond the known one.
        if ahead > MAX_AHEAD && self.is_current {
            self.observe(seq);
            return false;
        }
        match self.entries.get(&seq) {
            // Either may come from the store: only that can say which one is right.
            Some(known) if known.id() != entry.id() => {
                self.conflict = Some(self.conflict.map_or(seq, |lowest| lowest.min(seq)));
                return false;
            }
            Some(_) => {}
            None if seq > self.head => self.insert(entry),
            // It is not kept: nothing would show that it is forged.
            None => {
                if let LogEntry::Deletion(deletion) = &entry {
                    self.remove(deletion.deletes);
                }
            }
        }
        self.advance();
        self.observe(seq);
        true
    }

    /// Advances the head. Numbers are dense, so the next one is stored if there was a frame for it.
    fn advance(&mut self) {
        let next = |head: Seq| head.get().checked_add(1).map(Seq::new);
        while let Some(next) = next(self.head).filter(|next| self.entries.contains_key(next)) {
            self.head = next;
            self.announced = next;
        }
        self.unconfirmed = self
            .unconfirmed
            .filter(|unconfirmed| *unconfirmed > self.head);
    }

    fn observe(&mut self, seq: Seq) {
        if seq <= self.head {
            self.announced = self.announced.max(seq);
        } else {
            self.unconfirmed = self.unconfirmed.max(Some(seq));
        }
    }

    /// Keeps an entry. A message whose deletion is kept too is kept as a deleted one, in whichever order the two come:
    /// the message may have been read before it was deleted.
    fn insert(&mut self, entry: LogEntry) {
        let seq = entry.seq();
        let later = self.entries.range(seq.next()..);
        let entry = later.fold(entry, |entry, (_, later)| match later {
            LogEntry::Deletion(deletion) => entry.after(deletion),
            LogEntry::Message(_) | LogEntry::DeletedMessage(_) => entry,
        });
        let deletion = match &entry {
            LogEntry::Deletion(deletion) => Some(*deletion),
            LogEntry::Message(_) | LogEntry::DeletedMessage(_) => None,
        };
        self.replace(entry);
        if let Some(deletion) = deletion
            && let Some(known) = self.remove(deletion.deletes)
        {
            self.replace(known.after(&deletion));
        }
        while self.is_over_limit()
            && let Some((_, oldest)) = self.entries.pop_first()
        {
            self.set_bytes(self.bytes - size(&oldest));
        }
    }

    fn remove(&mut self, seq: Seq) -> Option<LogEntry> {
        let known = self.entries.remove(&seq)?;
        self.set_bytes(self.bytes - size(&known));
        Some(known)
    }

    fn replace(&mut self, entry: LogEntry) {
        self.set_bytes(self.bytes + size(&entry));
        if let Some(known) = self.entries.insert(entry.seq(), entry) {
            self.set_bytes(self.bytes - size(&known));
        }
    }

    fn is_over_limit(&self) -> bool {
        let is_large = self.bytes > MAX_RECENT_BYTES
            || self.node_bytes.load(Ordering::Relaxed) > MAX_NODE_BYTES;
        self.entries.len() > MAX_RECENT || self.entries.len() > 1 && is_large
    }

    fn set_bytes(&mut self, bytes: usize) {
        self.node_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.node_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = bytes;
    }

    /// Handles a frame with a head, and returns whether to pass the frame on.
    pub(super) fn on_head_advanced(&mut self, head: Seq) -> bool {
        self.observe(head);
        head <= self.head
    }

    /// Merges a page of the store. `is_uninterrupted` says that the subscription was intact when the page was read, and
    /// has been since. Returns the first entry of the page that was known as another one, as after a restore: then all
    /// that was known is forgotten.
    pub(super) fn merge_page(
        &mut self,
        page: &LogPage,
        is_uninterrupted: bool,
    ) -> Option<LogEntry> {
        let other = page.entries.iter().find(|entry| {
            let known = self.entries.get(&entry.seq());
            known.is_some_and(|known| known.id() != entry.id())
        });
        if other.is_some() {
            self.forget();
            self.head = Seq::ZERO;
            self.announced = self.announced.min(page.head);
        }
        self.head = self.head.max(page.head);
        for entry in &page.entries {
            // What is kept is right.
            self.conflict.take_if(|conflict| *conflict == entry.seq());
            self.insert(entry.clone());
        }
        self.advance();
        self.is_current |= is_uninterrupted;
        other.cloned()
    }

    /// Forgets everything: there is nothing any more.
    pub(super) fn clear(&mut self) {
        self.forget();
        (self.head, self.announced, self.unconfirmed) = (Seq::ZERO, Seq::ZERO, None);
    }

    /// The lowest number with two entries.
    pub(super) fn conflict(&self) -> Option<Seq> {
        self.conflict
    }

    /// Forgets all entries, so that the store has to be asked.
    fn forget(&mut self) {
        self.entries.clear();
        self.conflict = None;
        self.set_bytes(0);
        self.is_current = false;
    }

    /// Discards numbers that were known `before` the store was read, but are beyond its head `stored`. Returns whether
    /// there were any.
    pub(super) fn discard_unstored(&mut self, before: Progress, stored: Seq) -> bool {
        let is_unconfirmed_false = before
            .unconfirmed
            .is_some_and(|unconfirmed| unconfirmed > stored)
            && self.unconfirmed == before.unconfirmed;
        if is_unconfirmed_false {
            self.unconfirmed = None;
        }
        let is_head_false = before.head > stored;
        if is_head_false {
            self.head = stored;
            self.announced = self.announced.min(stored);
            // After a restore, those before the head may be others too.
            self.forget();
        }
        if is_unconfirmed_false {
            for entry in self.entries.split_off(&self.head.next()).values() {
                // What it has made of a message that is stored must not be shown either.
                if let LogEntry::Deletion(deletion) = entry {
                    self.entries.remove(&deletion.deletes);
                }
            }
            self.conflict.take_if(|conflict| *conflict > self.head);
            self.set_bytes(self.entries.values().map(size).sum());
        }
        is_unconfirmed_false || is_head_false
    }

    /// Records that frames may have been lost, so that the store has to be asked again.
    pub(super) fn invalidate(&mut self) {
        self.is_current = false;
    }

    /// The head, if it is the store's.
    pub(super) fn current_head(&self) -> Option<Seq> {
        let is_certain = self.is_current && self.unconfirmed.is_none() && self.conflict.is_none();
        is_certain.then_some(self.head)
    }

    /// Whether [`RecentEntries::after`] has an answer.
    pub(super) fn can_answer(&self, cursor: Cursor) -> bool {
        let after = cursor.seq;
        // Only the store can say that a message is another one.
        let is_known = |id| self.entries.get(&after).is_some_and(|it| it.id() == id);
        if !cursor.id.is_none_or(is_known) {
            return false;
        }
        // A client that has more messages than this node knows shows that a frame was lost.
        let missing = self.head.get().checked_sub(after.get());
        // The numbers are dense, so the count shows a gap.
        let has_all = |missing| self.newer(after).count() as u64 == missing;
        self.current_head().is_some()
            && missing.is_some_and(|it| it > MAX_RECENT as u64 || has_all(it))
    }

    /// The kept messages after `after`, up to the head.
    fn newer(&self, after: Seq) -> impl Iterator<Item = (&Seq, &LogEntry)> {
        let newer = self.entries.range(after.next()..);
        newer.take_while(|(seq, _)| **seq <= self.head)
    }

    /// The messages after `cursor`, as the store would return them: all up to the head if they are at most
    /// [`MAX_RECENT`], else none. `None` if the store has to be asked.
    pub(super) fn after(&self, cursor: Cursor) -> Option<LogPage> {
        let after = cursor.seq;
        self.can_answer(cursor).then(|| {
            let missing = self.head.get() - after.get();
            let newer = (missing <= MAX_RECENT as u64).then(|| self.newer(after));
            let newer = newer.into_iter().flatten();
            LogPage {
                entries: newer.map(|(_, entry)| entry.clone()).collect(),
                head: self.head,
            }
        })
    }
}

impl Drop for RecentEntries {
    fn drop(&mut self) {
        self.set_bytes(0);
    }
}

fn size(entry: &LogEntry) -> usize {
    entry.message().map_or(0, |message| {
        message.author_name.as_str().len() + message.content.as_str().len()
    })
}

#[cfg(test)]
mod tests;
