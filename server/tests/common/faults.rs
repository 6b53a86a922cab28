//! Backends that go away when told to.

use std::future::pending;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use app::model::{MessagePage, ShortId, Upload, UploadId, UploadRef};
use async_trait::async_trait;
use server::blob::{BlobEntry, BlobError, Blobs, ByteStream};
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
    /// Panics, as nothing should.
    Broken,
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
            2 => pending().await,
            _ => panic!("a backend panicked"),
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

#[async_trait]
impl Store for Moody<dyn Store> {
    async fn insert_upload(&self, upload: Upload) -> Result<(), StoreError> {
        self.1.pass(StoreError::Unavailable).await?;
        self.0.insert_upload(upload).await
    }

    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError> {
        self.1.pass(StoreError::Unavailable).await?;
        self.0.upload(name).await
    }

    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError> {
        self.1.pass(StoreError::Unavailable).await?;
        self.0.append(upload, drafts).await
    }

    async fn messages(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<MessagePage, StoreError> {
        self.1.pass(StoreError::Unavailable).await?;
        self.0.messages(upload, select, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.1.pass(StoreError::Unavailable).await?;
        self.0.ping().await
    }
}

#[async_trait]
impl Blobs for Moody<dyn Blobs> {
    async fn put(&self, key: ShortId, file: TempPath) -> Result<(), BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.put(key, file).await
    }

    async fn read(&self, key: ShortId, range: Range<u64>) -> Result<ByteStream, BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.read(key, range).await
    }

    async fn delete(&self, key: ShortId) -> Result<(), BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.delete(key).await
    }

    async fn list(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.list(after, limit).await
    }

    async fn ping(&self) -> Result<(), BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.ping().await
    }
}

#[async_trait]
impl Broker for Moody<dyn Broker> {
    fn attach(&self, receiver: Arc<dyn Deliver>) {
        self.0.attach(receiver);
    }

    async fn publish(&self, topic: Topic, frame: Frame) -> Result<(), BrokerError> {
        self.1.pass(BrokerError::Unavailable).await?;
        self.0.publish(topic, frame).await
    }

    async fn subscribe(&self, topic: Topic) -> Result<(), BrokerError> {
        self.1.pass(BrokerError::Unavailable).await?;
        self.0.subscribe(topic).await
    }

    async fn unsubscribe(&self, topic: Topic) -> Result<(), BrokerError> {
        self.1.pass(BrokerError::Unavailable).await?;
        self.0.unsubscribe(topic).await
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.1.pass(BrokerError::Unavailable).await?;
        self.0.ping().await
    }
}
