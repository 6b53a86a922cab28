//! Sweeps orphans, images that no upload refers to: a node leaves one when it dies between writing the blob and the
//! upload.

pub mod metrics;
pub mod pairing;
pub mod status;
pub mod sweep;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::RngExt;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use self::metrics::SweepMetrics;
use self::pairing::Pairing;
use self::status::SweepStatus;
use self::sweep::{MIN_AGE, Sweep, SweepError, SweepStats};
use crate::blob::Blobs;
use crate::config::SweepSchedule;
use crate::panics::restart_on_panic;
use crate::store::Store;

/// How long checking the pairing of store and blobs may take in all.
const PAIRING_CHECK_TIMEOUT: Duration = Duration::from_mins(1);

/// Sweeps orphans in the background.
pub struct Sweeper {
    /// Knows which images uploads refer to.
    pub store: Arc<dyn Store>,
    /// Holds the images.
    pub blobs: Arc<dyn Blobs>,
    /// When to check and sweep.
    pub schedule: SweepSchedule,
    /// Where the results of checks and sweeps are recorded.
    pub status: Arc<SweepStatus>,
    /// Counts what sweeps do.
    pub metrics: SweepMetrics,
}

impl Sweeper {
    /// Checks the pairing at once and then regularly, and sweeps from time to time, until the node stops.
    pub async fn run(self, stopping: CancellationToken) {
        // A sweep that is interrupted here starts over the next time.
        let running = restart_on_panic(|| self.run_forever());
        stopping.run_until_cancelled(running).await;
    }

    async fn run_forever(&self) {
        let jitter = rand::rng().random_range(Duration::ZERO..=self.schedule.jitter);
        let mut due = Instant::now() + self.schedule.first_after + jitter;
        let mut ticks = tokio::time::interval(self.schedule.check_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut marks_due = Instant::now();
        loop {
            ticks.tick().await;
            let is_sweeping = self.check_pairing().await && self.schedule.is_on;
            if is_sweeping && Instant::now() >= due {
                self.sweep().await;
                due = Instant::now() + self.schedule.every;
            }
            // A sweep does this too. Otherwise another node might remove images that are in use but still marked.
            if !is_sweeping && Instant::now() >= marks_due {
                self.unmark_used().await;
                marks_due = Instant::now() + self.schedule.every;
            }
        }
    }

    async fn check_pairing(&self) -> bool {
        let check = pairing::check(self.store.as_ref(), self.blobs.as_ref());
        // Backends that are unavailable have logged that themselves.
        let Ok(Ok(pairing)) = tokio::time::timeout(PAIRING_CHECK_TIMEOUT, check).await else {
            self.status.unchecked();
            return false;
        };
        self.status.checked(pairing);
        matches!(pairing, Pairing::Paired(_))
    }

    async fn unmark_used(&self) {
        match self.new_sweep().unmark_used().await {
            Ok(stats) => self.metrics.add(stats),
            Err(error) => {
                tracing::warn!(%error, "checking the marked images was interrupted");
            }
        }
    }

    fn new_sweep(&self) -> Sweep<'_> {
        Sweep {
            blobs: self.blobs.as_ref(),
            store: self.store.as_ref(),
            mark_duration: self.schedule.mark_duration,
            pause: self.schedule.pause,
            now: SystemTime::now(),
        }
    }

    async fn sweep(&self) {
        match self.new_sweep().run().await {
            Ok(stats) => {
                self.finish_sweep(stats);
                self.clear_unfinished().await;
            }
            Err(SweepError::TooMany { orphans, images }) => {
                self.status.record_sweep(Some((orphans, images)));
                tracing::warn!(
                    orphans,
                    images,
                    "so many images belong to no upload of this database that it may be the wrong one or \
                     incomplete: nothing is swept; restore it, or remove the images by hand (docs/operations.md, \
                     Orphaned images)"
                );
            }
            Err(SweepError::Unpaired(pairing)) => self.status.checked(pairing),
            // The next sweep starts over.
            Err(error) => tracing::warn!(%error, "sweeping the images was interrupted"),
        }
    }

    /// Removes what unfinished uploads have left; anything that old is no longer under way.
    async fn clear_unfinished(&self) {
        let before = SystemTime::now() - MIN_AGE;
        match self.blobs.clear_unfinished(before).await {
            Ok(0) => {}
            Ok(cleared) => tracing::info!(cleared, "removed the remains of unfinished uploads"),
            Err(error) => {
                tracing::warn!(%error, "removing the remains of unfinished uploads was interrupted");
            }
        }
    }

    fn finish_sweep(&self, stats: SweepStats) {
        self.status.record_sweep(None);
        self.metrics.add(stats);
        tracing::debug!(?stats, "swept the images");
    }
}
