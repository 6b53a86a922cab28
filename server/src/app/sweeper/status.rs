//! What a node knows of whether images may be swept, for `/readyz`, the log and the metrics.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::{info, warn};

use super::pairing::Pairing;
use crate::http::routes::health::{SweepHealth, SweepReport};

/// What stands in the way of sweeping, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepProblem {
    /// The two were not asked yet, or did not answer.
    Unchecked,
    /// The store and the blobs do not prove that they belong together.
    Unpaired(Pairing),
    /// There are too many orphans to believe in.
    TooMany {
        /// Blobs that no upload refers to.
        orphans: usize,
        /// All blobs.
        images: usize,
    },
}

impl SweepProblem {
    /// The problems that have a name, for the metrics.
    pub const NAMES: [&'static str; 4] = ["unchecked", "mismatch", "unproven", "too_many"];

    /// A word for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unchecked | Self::Unpaired(Pairing::Paired(_)) => "unchecked",
            Self::Unpaired(Pairing::Mismatch { .. }) => "mismatch",
            Self::Unpaired(Pairing::Unproven { .. }) => "unproven",
            Self::TooMany { .. } => "too_many",
        }
    }

    /// A sentence for people. It holds no id: anybody may read it.
    pub fn detail(&self) -> String {
        match self {
            Self::Unchecked | Self::Unpaired(Pairing::Paired(_)) => {
                "whether the store and the images belong together is not known at the moment".to_owned()
            }
            Self::Unpaired(Pairing::Mismatch { store: None, .. }) => {
                "the images belong to another database than this one, which is new or has lost its id".to_owned()
            }
            Self::Unpaired(Pairing::Mismatch { .. }) => {
                "the images belong to another database than this one".to_owned()
            }
            Self::Unpaired(Pairing::Unproven { .. }) => {
                "the images are not known to belong to this database: too few of either are known to the other".to_owned()
            }
            Self::TooMany { orphans, images } => format!(
                "{orphans} of {images} images belong to no upload of this database, which is too many to be believed"
            ),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct SweepStatus {
    is_on: bool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Whether a check has ended, well or not.
    is_checked: bool,
    pairing: Option<Pairing>,
    too_many: Option<(usize, usize)>,
}

impl SweepStatus {
    /// Nothing is known yet.
    pub fn new(is_on: bool) -> Self {
        Self {
            is_on,
            known: Mutex::default(),
        }
    }

    /// The store and the blobs were asked whether they belong together. A change is logged.
    pub fn checked(&self, pairing: Pairing) {
        let before = {
            let mut known = self.lock();
            known.is_checked = true;
            known.pairing.replace(pairing)
        };
        if before != Some(pairing) {
            log(pairing, before.is_some());
        }
    }

    /// The store or the blobs did not answer, so that nothing is known of them.
    pub fn unchecked(&self) {
        let mut known = self.lock();
        known.is_checked = true;
        known.pairing = None;
    }

    /// A sweep found too many orphans, or not.
    pub fn swept(&self, too_many: Option<(usize, usize)>) {
        self.lock().too_many = too_many;
    }

    /// What is in the way.
    pub fn problem(&self) -> Option<SweepProblem> {
        let known = self.lock();
        match (known.pairing, known.too_many) {
            (None, _) => Some(SweepProblem::Unchecked),
            (Some(Pairing::Paired(_)), None) => None,
            (Some(Pairing::Paired(_)), Some((orphans, images))) => {
                Some(SweepProblem::TooMany { orphans, images })
            }
            (Some(pairing), _) => Some(SweepProblem::Unpaired(pairing)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
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
            "the images belong to another database than this one, and none is swept; name the right database, folder or \
             bucket, or restore the one that was lost. If they do belong together, write the store's id into pairing.id \
             beside the images (docs/operations.md, Orphaned images)"
        ),
        Pairing::Mismatch { store: None, blobs } => warn!(
            %blobs,
            "the images belong to a database, and this one is new or has lost its id: no image is swept; name the right \
             database, or restore it. To begin anew, give it images of its own: another folder or bucket, or move \
             these away (docs/operations.md, Orphaned images)"
        ),
        Pairing::Unproven { store } => warn!(
            %store,
            "there are images, and nothing shows that they belong to this database: none is swept; name the right \
             database, folder or bucket, or restore the one that was lost. If they do belong together, write the \
             store's id into pairing.id beside the images (docs/operations.md, Orphaned images)"
        ),
    }
}
