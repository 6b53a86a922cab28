//! Orders the appends to a log: within a node by locks, between nodes by yielding.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::model::{Seq, UploadId};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::sleep_until;

use crate::store::Position;

/// One lock for each value of the first byte of an upload's id. Uploads that share a lock wait for each other.
const LOCKS: usize = 256;

/// The longest time that a node yields.
const MAX_YIELD: Duration = Duration::from_millis(500);

/// How long the head after an append is used for the next one without reading it again. Short, since it would be wrong
/// after a restore from a backup.
const HEAD_VALID_FOR: Duration = Duration::from_secs(1);

/// The most appends in a row that use the head after the one before.
const MAX_STREAK: u32 = 8;

/// The locks of all uploads. Clones share them.
#[derive(Clone)]
pub(super) struct AppendLocks(Arc<[Mutex<AppendState>; LOCKS]>);

impl Default for AppendLocks {
    fn default() -> Self {
        Self(Arc::new(std::array::from_fn(|_| Mutex::default())))
    }
}

impl AppendLocks {
    /// Takes the lock that this node holds while it appends to an upload's log, so that its own calls do not compete
    /// for the same sequence number.
    pub async fn lock(&self, upload: UploadId) -> MutexGuard<'_, AppendState> {
        let [first, ..] = *upload.as_bytes();
        self.0[usize::from(first)].lock().await
    }
}

/// The state that is kept between the appends under one lock.
///
/// Nodes that append to the same log compete for the same numbers. The winner knows the new head first, and
/// would win again and again while the others time out. So it yields: for as long as two others need for their appends
/// if it has noticed any, and otherwise for a shorter time every now and then, since it does not notice those that
/// always lose.
#[derive(Default)]
pub(super) struct AppendState(Option<LastAppend>);

struct LastAppend {
    upload: UploadId,
    /// The position of the last entry.
    last: Position,
    at: Instant,
    /// How long an append takes that reads the head first.
    usual_time: Duration,
    streak: u32,
    yields_for: Duration,
}

/// How an append went.
pub(super) struct AppendStats {
    /// The head that it first assumed.
    pub start: Seq,
    /// The head after which it finally appended.
    pub base: Seq,
    /// The position of the last entry after it.
    pub end: Position,
    /// How long the successful try took, including reading the head.
    pub elapsed: Duration,
}

impl AppendState {
    /// Waits while this node yields to others.
    pub async fn yield_turn(&self, upload: UploadId) {
        if let Some(last) = self.last(upload) {
            sleep_until((last.at + last.yields_for).into()).await;
        }
    }

    /// Returns the position of the last entry, if this node appended a moment ago and noticed no other node.
    pub fn cached_last(&self, upload: UploadId) -> Option<Position> {
        let last = self.last(upload)?;
        let is_valid = last.yields_for.is_zero() && last.at.elapsed() < HEAD_VALID_FOR;
        is_valid.then_some(last.last)
    }

    /// Records an append.
    pub fn record(&mut self, upload: UploadId, stats: &AppendStats) {
        let last = self.last(upload);
        let usual_time = last.map_or(stats.elapsed, |last| last.usual_time.max(stats.elapsed));
        let streak = last.map_or(0, |last| last.streak + 1);
        let has_others = last.map_or(stats.start, |last| last.last.seq) < stats.base;
        let yields_for = match (has_others, streak) {
            (true, _) => usual_time * 2,
            (false, MAX_STREAK..) => usual_time,
            (false, _) => Duration::ZERO,
        };
        let keeps_going = yields_for.is_zero();
        self.0 = Some(LastAppend {
            upload,
            last: stats.end,
            at: Instant::now(),
            usual_time: if keeps_going {
                usual_time
            } else {
                Duration::ZERO
            },
            streak: if keeps_going { streak } else { 0 },
            yields_for: yields_for.min(MAX_YIELD),
        });
    }

    fn last(&self, upload: UploadId) -> Option<&LastAppend> {
        self.0.as_ref().filter(|last| last.upload == upload)
    }
}
