//! Backends that go away when told to.

use std::future::pending;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use app::model::{MessagePage, ShortId, Upload, UploadId, UploadRef};
use async_trait::async_trait;
use server::blob::{BlobError, Blobs, ByteStream};
use server::broker::{Broker, BrokerError, Deliver, Frame, Topic};
use server::state::Backends;
use server::store::{Appended, Draft, Select, Store, StoreError};
use tempfile::TempPath;

/// How a backend behaves.
#[derive(Clone, Copy)]
#[repr(u8)]
pub enum Mood {
    /// As it should.
    Well,
    /// Answers that it is away.
    Away,
    /// Never answers.
    Silent,
}

/// Changes a backend's mood while it runs.
#[derive(Clone, Default)]
pub struct Switch(Arc<AtomicU8>);

impl Switch {
    pub fn set(&self, mood: Mood) {
        self.0.store(mood as u8, Ordering::SeqCst);
    }

    async fn pass<E>(&self, away: E) -> Result<(), E> {
        match self.0.load(Ordering::SeqCst) {
            0 => Ok(()),
            1 => Err(away),
            _ => pending().await,
        }
    }
}

/// The backends with a switch each.
#[derive(Clone, Default)]
pub struct Switches {
    pub store: Switch,
    pub blobs: Switch,
    pub broker: Switch,
}

impl Switches {
    pub fn wrap(&self, backends: Backends) -> Backends {
        Backends {
            store: Arc::new(Moody(backends.store, self.store.clone())),
            blobs: Arc::new(Moody(backends.blobs, self.blobs.clone())),
            broker: Arc::new(Moody(backends.broker, self.broker.clone())),
            ..backends
        }
    }
}

struct Moody<T: ?Sized>(Arc<T>, Switch);
