//! What one client has of a log: its numbers have no gaps and come once.

use std::collections::BTreeMap;
use std::time::Duration;

use app::model::{Cursor, LogEntry, LogPage, MessageId, Seq};
use tokio::time::Instant;

/// Entries may overtake each other. One that has not come by then is fetched, as a browser does: no frame brings a
/// message whose post was answered 503, but that is stored all the same.
const REPAIR_DELAY: Duration = Duration::from_secs(1);
/// None comes later than this.
const MAX_DELAY: Duration = Duration::from_secs(10);
/// So many entries may be there before one that is missing.
const MAX_EARLY: usize = 256;

/// How far a client is in a log. Its errors are sentences.
#[derive(Debug)]
pub struct Conversation {
    /// The last entry up to which all are there.
    last: Cursor,
    /// Up to which number they were fetched: their frames may come as well.
    fetched: Seq,
    /// Entries after one that is missing.
    early: BTreeMap<Seq, MessageId>,
    /// Whether `watch` was answered. Until then frames only wait.
    is_watched: bool,
    /// The highest number that was announced.
    announced: Seq,
    /// Since when an entry is missing.
    waits_since: Option<Instant>,
    /// When entries were fetched last.
    fetched_at: Instant,
}

impl Conversation {
    /// Begins with the newest entries of the log.
    pub fn open(page: &LogPage) -> Result<Self, String> {
        let before = page.entries.first().map(|first| first.seq().previous());
        let mut conversation = Self {
            last: Cursor {
                seq: before.unwrap_or_default(),
                id: None,
            },
            fetched: Seq::ZERO,
            early: BTreeMap::new(),
            is_watched: false,
            announced: Seq::ZERO,
            waits_since: None,
            fetched_at: Instant::now(),
        };
        conversation.append(&page.entries)?;
        conversation.must_be_at(page.head)?;
        conversation.fetched = page.head;
        Ok(conversation)
    }

    /// The last entry that is there, for `watch`.
    pub fn last(&self) -> Cursor {
        self.last
    }

    /// Whether frames bring everything now.
    pub fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// When to fetch what is missing, if anything is.
    pub fn repair_at(&self) -> Option<Instant> {
        Some(self.waits_since?.max(self.fetched_at) + REPAIR_DELAY)
    }

    /// The socket that brought these frames has ended, and another one begins.
    pub fn on_reconnect(&mut self) {
        self.fetched = self.last.seq;
        self.early.clear();
        self.is_watched = false;
        self.announced = Seq::ZERO;
        self.waits_since = None;
    }

    /// The answer to `watch`. Returns whether entries have to be fetched.
    pub fn on_watched(&mut self, head: Seq, entries: &[LogEntry]) -> Result<bool, String> {
        if entries.is_empty() && head > self.last.seq {
            return Ok(true);
        }
        self.append(entries)?;
        self.must_be_at(head)?;
        self.begin();
        Ok(false)
    }

    /// Fetched entries after the last one. Returns whether more have to be fetched.
    pub fn on_page(&mut self, page: &LogPage) -> Result<bool, String> {
        if page.entries.is_empty() {
            self.must_be_at(page.head)?;
        }
        self.append(&page.entries)?;
        if self.last.seq < page.head {
            return Ok(true);
        }
        self.begin();
        Ok(false)
    }

    /// An entry that a frame has brought.
    pub fn on_entry(&mut self, seq: Seq, id: MessageId) -> Result<(), String> {
        let is_fetched = seq <= self.fetched;
        if self.early.contains_key(&seq) || seq <= self.last.seq && !is_fetched {
            return Err(format!("entry {seq} came twice"));
        }
        if !is_fetched {
            self.early.insert(seq, id);
        }
        if self.is_watched {
            self.take_early();
        }
        self.check()
    }

    /// The log's head, as it is announced.
    pub fn on_head(&mut self, head: Seq) {
        self.announced = self.announced.max(head);
        if self.is_watched {
            self.take_early();
        }
    }

    /// Whether an entry is missing for too long.
    pub fn check(&self) -> Result<(), String> {
        let is_late = self
            .waits_since
            .is_some_and(|since| since.elapsed() > MAX_DELAY);
        if is_late || self.early.len() > MAX_EARLY {
            let (missing, known) = (self.last.seq.next(), self.early.len());
            return Err(format!(
                "entry {missing} is missing; {known} later ones came"
            ));
        }
        Ok(())
    }

    fn append(&mut self, entries: &[LogEntry]) -> Result<(), String> {
        for entry in entries {
            let (seq, expected) = (entry.seq(), self.last.seq.next());
            if seq != expected {
                return Err(format!("entry {seq} stands where {expected} is expected"));
            }
            self.last = Cursor {
                seq,
                id: Some(entry.id()),
            };
        }
        Ok(())
    }

    /// From here on frames bring everything.
    fn begin(&mut self) {
        self.fetched_at = Instant::now();
        self.fetched = self.last.seq;
        self.is_watched = true;
        self.take_early();
    }

    fn must_be_at(&self, head: Seq) -> Result<(), String> {
        let last = self.last.seq;
        if last == head {
            Ok(())
        } else {
            Err(format!("the head is {head}, the last entry {last}"))
        }
    }

    fn take_early(&mut self) {
        while let Some(first) = self.early.first_entry()
            && *first.key() <= self.last.seq.next()
        {
            let (seq, id) = first.remove_entry();
            if seq > self.last.seq {
                self.last = Cursor { seq, id: Some(id) };
            }
        }
        let waits = !self.early.is_empty() || self.announced > self.last.seq;
        self.waits_since = waits.then(|| self.waits_since.unwrap_or_else(Instant::now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::Deletion;

    fn id(number: u64) -> MessageId {
        format!("{number:024x}").parse().unwrap()
    }

    fn page(numbers: impl IntoIterator<Item = u64>, head: u64) -> LogPage {
        let entry = |number| {
            LogEntry::Deletion(Deletion {
                id: id(number),
                upload_id: "674312a0b1c2d3e4f5061728".parse().unwrap(),
                seq: Seq::new(number),
                deletes: Seq::new(1),
                created_at: "2026-11-24T12:00:00.123Z".parse().unwrap(),
            })
        };
        LogPage {
            entries: numbers.into_iter().map(entry).collect(),
            head: Seq::new(head),
        }
    }

    fn post(conversation: &mut Conversation, number: u64) -> Result<(), String> {
        conversation.on_entry(Seq::new(number), id(number))
    }

    #[test]
    fn pages_have_no_gaps_and_end_with_the_head() {
        for (numbers, head) in [(&[4, 6][..], 6), (&[4, 5], 6), (&[], 1), (&[5, 4], 4)] {
            let page = page(numbers.iter().copied(), head);
            assert!(Conversation::open(&page).is_err(), "{numbers:?}");
        }
        assert_eq!(
            Conversation::open(&page([], 0)).unwrap().last().seq,
            Seq::ZERO
        );
        assert_eq!(
            Conversation::open(&page(4..7, 6)).unwrap().last().id,
            Some(id(6))
        );
    }

    #[test]
    fn what_was_missed_is_brought_or_fetched() {
        let mut conversation = Conversation::open(&page(1..4, 3)).unwrap();
        assert_eq!(post(&mut conversation, 3), Ok(()));
        let watched = page(4..6, 5);
        assert_eq!(
            conversation.on_watched(watched.head, &watched.entries),
            Ok(false)
        );
        assert_eq!(conversation.on_watched(Seq::new(9), &[]), Ok(true));
        assert_eq!(conversation.on_page(&page(6..8, 9)), Ok(true));
        assert_eq!(conversation.on_page(&page(8..10, 9)), Ok(false));
        // The frames of what was fetched may come as well.
        assert_eq!(post(&mut conversation, 9), Ok(()));
        assert_eq!(post(&mut conversation, 10), Ok(()));
        assert!(conversation.on_watched(Seq::new(9), &[]).is_err());
        assert!(conversation.on_page(&page([], 12)).is_err());
    }

    #[test]
    fn an_entry_comes_once() {
        let mut conversation = Conversation::open(&page([], 0)).unwrap();
        assert_eq!(post(&mut conversation, 1), Ok(()));
        let watched = page(1..2, 1);
        conversation
            .on_watched(watched.head, &watched.entries)
            .unwrap();
        for number in [1, 3, 2] {
            assert_eq!(post(&mut conversation, number), Ok(()));
        }
        assert_eq!(conversation.last().seq, Seq::new(3));
        assert!(post(&mut conversation, 2).is_err());
        assert_eq!(post(&mut conversation, 5), Ok(()));
        assert!(post(&mut conversation, 5).is_err());
    }

    #[tokio::test]
    async fn a_gap_is_closed_in_time() {
        tokio::time::pause();
        let mut conversation = Conversation::open(&page([], 0)).unwrap();
        conversation.on_watched(Seq::ZERO, &[]).unwrap();
        post(&mut conversation, 2).unwrap();
        let repair = conversation.repair_at().unwrap() - Instant::now();
        assert_eq!(repair, REPAIR_DELAY);
        tokio::time::advance(MAX_DELAY / 2).await;
        post(&mut conversation, 1).unwrap();
        tokio::time::advance(MAX_DELAY).await;
        assert_eq!(conversation.check(), Ok(()));
        assert_eq!(conversation.repair_at(), None);
        conversation.on_head(Seq::new(3));
        tokio::time::advance(MAX_DELAY * 2).await;
        assert!(conversation.check().is_err());
        conversation.on_reconnect();
        assert_eq!(conversation.check(), Ok(()));
    }
}
