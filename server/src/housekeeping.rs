//! Sweeps the blob store for images that no upload refers to, as a node leaves one that dies between the two writes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::RngExt;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::blob::sweep::{MIN_AGE, Sweep, SweepError, Swept};
use crate::metrics::SweepMetrics;
use crate::pairing::{self, Pairing};
use crate::state::Backends;
use crate::sweep_status::SweepStatus;

/// How long asking the store and the blobs may take altogether.
const CHECK: Duration = Duration::from_mins(1);

/// Whether and when images are swept.
#[derive(Debug, Clone, Copy)]
pub struct SweepPace {
    /// Whether they are.
    pub is_on: bool,
    /// How long after the start for the first time.
    pub first_after: Duration,
    /// At most so much later, at random, so that nodes that start together do not sweep together.
    pub jitter: Duration,
    /// How often after that.
    pub every: Duration,
    /// The pause between two stretches of a sweep.
    pub pause: Duration,
    /// How long an orphan is set aside before it is removed.
    pub set_aside_for: Duration,
    /// How often it is looked whether the store and the images belong together.
    pub check_every: Duration,
}

impl Default for SweepPace {
    fn default() -> Self {
        Self {
            is_on: true,
            first_after: Duration::from_hours(6),
            jitter: Duration::from_hours(1),
            every: Duration::from_hours(6),
            pause: Duration::from_secs(1),
            set_aside_for: Duration::from_hours(7 * 24),
            check_every: Duration::from_mins(5),
        }
    }
}

/// What housekeeping needs.
pub struct Housekeeping {
    /// What is kept.
    pub backends: Backends,
    /// When it does what.
    pub pace: SweepPace,
    /// What it finds out.
    pub status: Arc<SweepStatus>,
    /// What it tells.
    pub metrics: SweepMetrics,
}

impl Housekeeping {
    /// Checks the pairing at once and from time to time, and sweeps now and then, until the node stops.
    pub async fn run(self, stopping: CancellationToken) {
        // Cut off between two calls, a sweep is begun anew another time.
        stopping.run_until_cancelled(self.run_on()).await;
    }

    async fn run_on(&self) {
        let jitter = rand::rng().random_range(Duration::ZERO..=self.pace.jitter);
        let mut due = Instant::now() + self.pace.first_after + jitter;
        let mut ticks = tokio::time::interval(self.pace.check_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut marks_due = Instant::now();
        loop {
            ticks.tick().await;
            let is_sweeping = self.check().await && self.pace.is_on;
            if is_sweeping && Instant::now() >= due {
                self.sweep().await;
                due = Instant::now() + self.pace.every;
            }
            // A sweep does it too. Another node may remove what stays marked.
            if !is_sweeping && Instant::now() >= marks_due {
                self.take_marks_back().await;
                marks_due = Instant::now() + self.pace.every;
            }
        }
    }

    async fn check(&self) -> bool {
        let backends = &self.backends;
        let check = pairing::check(backends.store.as_ref(), backends.blobs.as_ref());
        // Backends that are away have logged that themselves.
        let Ok(Ok(pairing)) = tokio::time::timeout(CHECK, check).await else {
            self.status.unchecked();
            return false;
        };
        self.status.checked(pairing);
        matches!(pairing, Pairing::Paired(_))
    }

    async fn take_marks_back(&self) {
        match self.a_sweep().take_marks_back().await {
            Ok(swept) => self.metrics.swept(swept),
            Err(error) => {
                tracing::warn!(%error, "looking through the images that are set aside was cut short");
            }
        }
    }

    fn a_sweep(&self) -> Sweep<'_> {
        Sweep {
            blobs: self.backends.blobs.as_ref(),
            store: self.backends.store.as_ref(),
            set_aside_for: self.pace.set_aside_for,
            pause: self.pace.pause,
            now: SystemTime::now(),
        }
    }

    async fn sweep(&self) {
        match self.a_sweep().run().await {
            Ok(swept) => {
                self.swept(swept);
                self.clear_unfinished().await;
            }
            Err(SweepError::TooMany { orphans, images }) => {
                self.status.swept(Some((orphans, images)));
                tracing::warn!(
                    orphans,
                    images,
                    "so many images belong to no upload of this database that it may be the wrong one or lack something: \
                     nothing is swept; restore it, or remove the images by hand (docs/operations.md, Orphaned images)"
                );
            }
            Err(SweepError::Unpaired(pairing)) => self.status.checked(pairing),
            // What was not reached is there next time too.
            Err(error) => tracing::warn!(%error, "sweeping the images was cut short"),
        }
    }

    /// What was begun so long ago is not under way any more.
    async fn clear_unfinished(&self) {
        let before = SystemTime::now() - MIN_AGE;
        match self.backends.blobs.clear_unfinished(before).await {
            Ok(0) => {}
            Ok(cleared) => tracing::info!(cleared, "removed what unfinished uploads had left"),
            Err(error) => {
                tracing::warn!(%error, "removing what unfinished uploads have left was cut short");
            }
        }
    }

    fn swept(&self, swept: Swept) {
        self.status.swept(None);
        self.metrics.swept(swept);
        tracing::debug!(?swept, "swept the images");
    }
}
