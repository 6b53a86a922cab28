//! Sweeps the blob store for images that no upload refers to, as a node leaves one that dies between the two writes.

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
use self::sweep::{MIN_AGE, Sweep, SweepError, Swept};
use crate::blob::Blobs;
use crate::config::SweepPace;
use crate::store::Store;

/// How long asking the store and the blobs may take altogether.
const CHECK: Duration = Duration::from_mins(1);

/// What sweeping needs.
pub struct Sweeper {
    /// What is known of images.
    pub store: Arc<dyn Store>,
    /// The images.
    pub blobs: Arc<dyn Blobs>,
    /// When it does what.
    pub pace: SweepPace,
    /// What it finds out.
    pub status: Arc<SweepStatus>,
    /// What it tells.
    pub metrics: SweepMetrics,
}

impl Sweeper {
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
        let check = pairing::check(self.store.as_ref(), self.blobs.as_ref());
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
            blobs: self.blobs.as_ref(),
            store: self.store.as_ref(),
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
        match self.blobs.clear_unfinished(before).await {
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
