//! The state of sweeping, for `/readyz`, the log and the metrics.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::{info, warn};

use super::pairing::Pairing;
use crate::http::routes::health::{SweepHealth, SweepReport};

/// Why images are not swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepProblem {
    /// The pairing was not checked yet, or could not be.
    Unchecked,
    /// The blobs belong to another store.
    Mismatch {
        /// Whether this store has an id.
        store_has_id: bool,
    },
    /// The store and the blobs are not known to belong together.
    Unconfirmed,
    /// There are so many orphans that the store is probably the wrong one or incomplete.
    TooMany {
        /// Blobs that no upload refers to.
        orphans: usize,
        /// How many blobs there are, orphans or not.
        images: usize,
    },
}

impl SweepProblem {
    /// The names of all problems, for the metrics.
    pub const NAMES: [&'static str; 4] = ["unchecked", "mismatch", "unconfirmed", "too_many"];

    /// The problem's name, for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Mismatch { .. } => "mismatch",
            Self::Unconfirmed => "unconfirmed",
            Self::TooMany { .. } => "too_many",
        }
    }

    /// A sentence for people. It contains no id, since anybody may read it.
    pub fn detail(&self) -> String {
        match self {
            Self::Unchecked => {
                "whether the store and the images belong together is not known at the moment".to_owned()
            }
            Self::Mismatch {
                store_has_id: false,
            } => {
                "the images belong to another database than this one, which is new or has lost its id".to_owned()
            }
            Self::Mismatch { store_has_id: true } => {
                "the images belong to another database than this one".to_owned()
            }
            Self::Unconfirmed => {
                "the images are not known to belong to this database: too few images match uploads".to_owned()
            }
            Self::TooMany { orphans, images } => format!(
                "{orphans} of {images} images belong to no upload of this database, which is too many to be believed"
            ),
        }
    }
}

/// The results of the last check and the last sweep.
#[derive(Debug)]
pub struct SweepStatus {
    is_on: bool,
    last: Mutex<LastResults>,
}

#[derive(Debug, Default)]
struct LastResults {
    /// Whether a check has ended, with or without a result.
    is_checked: bool,
    pairing: Option<Pairing>,
    too_many: Option<(usize, usize)>,
}

impl SweepStatus {
    /// Starts without any results.
    pub fn new(is_on: bool) -> Self {
        Self {
            is_on,
            last: Mutex::default(),
        }
    }

    /// Records the result of a check, and logs it if it has changed.
    pub fn checked(&self, pairing: Pairing) {
        let before = {
            let mut last = self.lock();
            last.is_checked = true;
            last.pairing.replace(pairing)
        };
        if before != Some(pairing) {
            log(pairing, before.is_some());
        }
    }

    /// Records that a check failed because the store or the blobs did not answer.
    pub fn unchecked(&self) {
        let mut last = self.lock();
        last.is_checked = true;
        last.pairing = None;
    }

    /// Records whether a sweep found too many orphans: how many, of how many images.
    pub fn record_sweep(&self, too_many: Option<(usize, usize)>) {
        self.lock().too_many = too_many;
    }

    /// Returns why images cannot be swept, if there is a reason.
    pub fn problem(&self) -> Option<SweepProblem> {
        let last = self.lock();
        match last.pairing {
            None => Some(SweepProblem::Unchecked),
            Some(Pairing::Mismatch { store, .. }) => Some(SweepProblem::Mismatch {
                store_has_id: store.is_some(),
            }),
            Some(Pairing::Unconfirmed { .. }) => Some(SweepProblem::Unconfirmed),
            Some(Pairing::Paired(_)) => last
                .too_many
                .map(|(orphans, images)| SweepProblem::TooMany { orphans, images }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, LastResults> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SweepHealth for SweepStatus {
    fn report(&self) -> Option<SweepReport> {
        let problem = self.problem().filter(|_| self.lock().is_checked);
        if self.is_on && problem.is_none() {
            return None;
        }
        Some(SweepReport {
            state: if self.is_on { "stopped" } else { "off" },
            problem: problem.map(|problem| problem.name()),
            detail: problem.map(|problem| problem.detail()),
        })
    }
}

fn log(pairing: Pairing, is_change: bool) {
    match pairing {
        Pairing::Paired(id) if is_change => {
            info!(%id, "the store and the images belong together again: images are swept");
        }
        Pairing::Paired(_) => {}
        Pairing::Mismatch {
            store: Some(store),
            blobs,
        } => warn!(
            %store, %blobs,
            "the images belong to another database than this one, and none is swept; name the right database, folder \
             or bucket, or restore the one that was lost. If they do belong together, write the store's id into \
             pairing.id beside the images (docs/operations.md, Orphaned images)"
        ),
        Pairing::Mismatch { store: None, blobs } => warn!(
            %blobs,
            "the images belong to a database, and this one is new or has lost its id: no image is swept; name the \
             right database, or restore it. To start over, give it images of its own: another folder or bucket, or \
             move these away (docs/operations.md, Orphaned images)"
        ),
        Pairing::Unconfirmed { store } => warn!(
            %store,
            "there are images, and nothing shows that they belong to this database: none is swept; name the right \
             database, folder or bucket, or restore the one that was lost. If they do belong together, write the \
             store's id into pairing.id beside the images (docs/operations.md, Orphaned images)"
        ),
    }
}
