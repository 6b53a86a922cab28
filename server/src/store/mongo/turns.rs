//! Who appends next: one call after the other within a node, and each node in its turn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::model::{Seq, UploadId};
use tokio::sync::Mutex;
use tokio::time::sleep_until;

/// The first byte of an upload's id chooses its turn; the few uploads that share one wait for each other.
const TURNS: usize = 256;

/// The longest rest.
const MAX_REST: Duration = Duration::from_millis(500);

/// How long the head that an append has left is taken for the present one. Not long: it would be wrong after a restore
/// from a backup.
const FRESH: Duration = Duration::from_secs(1);

/// The most appends in a row that start from the head that the one before has left.
const MAX_STREAK: u32 = 8;

/// The turns of all uploads.
pub(super) struct Turns(Box<[Arc<Mutex<Turn>>; TURNS]>);

impl Default for Turns {
    fn default() -> Self {
        Self(Box::new(std::array::from_fn(|_| Arc::default())))
    }
}

impl Turns {
    /// The lock under which this node appends to an upload's conversation, so that its calls follow each other instead
    /// of running for the same sequence number.
    pub fn of(&self, upload: UploadId) -> Arc<Mutex<Turn>> {
        let [first, ..] = *upload.as_bytes();
        Arc::clone(&self.0[usize::from(first)])
    }
}

/// What is remembered from one append to the next.
///
/// Nodes that post to one conversation run for the same numbers. Who wins knows the new head first, and would win
/// again and again while others time out. So the winner rests: for as long as two others need for their appends when it
/// sees that there are others, and else a little now and then, since it does not see those that always lose.
#[derive(Default)]
pub(super) struct Turn(Option<Last>);

struct Last {
    upload: UploadId,
    head: Seq,
    at: Instant,
    /// How long an append takes that reads the head first.
    pace: Duration,
    streak: u32,
    rest: Duration,
}

/// How an append went.
pub(super) struct Won {
    /// The head from which it began.
    pub start: Seq,
    /// The head after which it appended in the end.
    pub base: Seq,
    /// The head that it left.
    pub end: Seq,
    /// How long that took, from looking for the head on.
    pub took: Duration,
}

impl Turn {
    /// Waits while it is the turn of other nodes.
    pub async fn rest(&self, upload: UploadId) {
        if let Some(last) = self.last(upload) {
            sleep_until((last.at + last.rest).into()).await;
        }
    }

    /// The head, when this node has left it a moment ago and no other node was seen.
    pub fn fresh_head(&self, upload: UploadId) -> Option<Seq> {
        let last = self.last(upload)?;
        let is_fresh = last.rest.is_zero() && last.at.elapsed() < FRESH;
        is_fresh.then_some(last.head)
    }

    /// Notes an append.
    pub fn won(&mut self, upload: UploadId, won: &Won) {
        let last = self.last(upload);
        let pace = last.map_or(won.took, |last| last.pace.max(won.took));
        let streak = last.map_or(0, |last| last.streak + 1);
        let has_others = last.map_or(won.start, |last| last.head) < won.base;
        let rest = match (has_others, streak) {
            (true, _) => pace * 2,
            (false, MAX_STREAK..) => pace,
            (false, _) => Duration::ZERO,
        };
        let goes_on = rest.is_zero();
        self.0 = Some(Last {
            upload,
            head: won.end,
            at: Instant::now(),
            pace: if goes_on { pace } else { Duration::ZERO },
            streak: if goes_on { streak } else { 0 },
            rest: rest.min(MAX_REST),
        });
    }

    fn last(&self, upload: UploadId) -> Option<&Last> {
        self.0.as_ref().filter(|last| last.upload == upload)
    }
}
