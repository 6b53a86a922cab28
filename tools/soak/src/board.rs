//! The uploads that people talk about.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::model::{AuthorSecret, Upload, UploadId};
use rand::RngExt;
use rand::rngs::StdRng;

/// An upload that people know, and with what it is deleted.
#[derive(Debug)]
pub struct Shared {
    pub upload: Upload,
    pub owner: AuthorSecret,
}

/// The known uploads, oldest first: at most as many as it is made for, and one for each person that shares.
#[derive(Debug)]
pub struct Board {
    known: Mutex<VecDeque<Arc<Shared>>>,
    room: usize,
}

impl Board {
    /// An empty board with room for so many.
    pub fn new(room: usize) -> Self {
        Self {
            known: Mutex::default(),
            room,
        }
    }

    /// Makes an upload known.
    pub fn add(&self, shared: Arc<Shared>) {
        self.known().push_back(shared);
    }

    /// Takes the oldest one down, if there are too many: whoever gets it deletes it.
    pub fn take_surplus(&self) -> Option<Arc<Shared>> {
        let mut known = self.known();
        (known.len() > self.room)
            .then(|| known.pop_front())
            .flatten()
    }

    /// One of them at random; `None` on an empty board.
    pub fn pick(&self, rng: &mut StdRng) -> Option<Arc<Shared>> {
        let known = self.known();
        let number = rng.random_range(0..known.len().max(1));
        known.get(number).cloned()
    }

    /// Whether the upload is still there: it is taken down before it is deleted.
    pub fn has(&self, id: UploadId) -> bool {
        self.known().iter().any(|shared| shared.upload.id == id)
    }

    fn known(&self) -> MutexGuard<'_, VecDeque<Arc<Shared>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
