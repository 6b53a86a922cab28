//! Backends whose failures a test switches on and off.

mod broker;

use std::future::pending;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use app::model::{Deletion, LogPage, Seq, ShortId, Timestamp, Upload, UploadId, UploadRef};
use async_trait::async_trait;
use http::Method;
use server::app::backends::Backends;
use server::blob::{
    BlobEntry, BlobError, Blobs, ByteStream, Derived, PresignedUrl, ResponseHeaders,
};
use server::broker::Deliver;
use server::ids::PairingId;
use server::store::{
    Appended, Deleted, DeletionDraft, Draft, MessageRef, Removal, Requester, SecretHash, Select,
    Store, StoreError,
};
use tempfile::TempPath;
use tokio::time::sleep;

use self::broker::SwitchedBroker;

/// How a backend behaves.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Mode {
    /// Works.
    #[default]
    Working,
    /// Returns that it is unavailable.
    Unavailable,
    /// Never returns.
    Hanging,
    /// Panics.
    Panicking,
    /// A broker that drops published frames.
    Lossy,
    /// Waits until another mode is set.
    Blocked,
    /// A store that shows conversations up to this message, as one that was restored, or whose reads lag behind.
    Behind(u64),
    /// A blob store that takes nothing new.
    Full,
    /// A blob store that reads no image until another mode is set.
    BlockedReads,
}

/// Sets a backend's mode while it runs, and counts its calls.
#[derive(Clone, Default)]
pub struct Switch {
    mode: Arc<Mutex<Mode>>,
    calls: Arc<AtomicUsize>,
}

impl Switch {
    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap()
    }

    /// The number of calls.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn loses(&self) -> bool {
        self.mode() == Mode::Lossy
    }

    async fn pass<E>(&self, unavailable: E) -> Result<(), E> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.pass_uncounted(unavailable).await
    }

    /// Does not count the call, for calls that a node makes by itself.
    async fn pass_uncounted<E>(&self, unavailable: E) -> Result<(), E> {
        match self.mode() {
            Mode::Working | Mode::Lossy | Mode::Behind(_) | Mode::Full | Mode::BlockedReads => {
                Ok(())
            }
            Mode::Unavailable => Err(unavailable),
            Mode::Hanging => pending().await,
            Mode::Blocked => {
                while self.mode() == Mode::Blocked {
                    sleep(Duration::from_millis(5)).await;
                }
                Ok(())
            }
            Mode::Panicking => panic!("a backend panicked"),
        }
    }
}

/// The backends with a switch each.
#[derive(Clone, Default)]
pub struct Switches {
    pub store: Switch,
    pub blobs: Switch,
    pub broker: Switch,
    receiver: Arc<OnceLock<Arc<dyn Deliver>>>,
}

impl Switches {
    pub fn wrap(&self, backends: Backends) -> Backends {
        Backends {
            store: Arc::new(Switched(backends.store, self.store.clone())),
            blobs: Arc::new(Switched(backends.blobs, self.blobs.clone())),
            broker: Arc::new(SwitchedBroker {
                broker: backends.broker,
                switch: self.broker.clone(),
                receiver: self.receiver.clone(),
            }),
            ..backends
        }
    }

    /// The receiver that the node has attached to the broker.
    pub fn receiver(&self) -> &dyn Deliver {
        &**self.receiver.get().expect("the node has started")
    }
}

struct Switched<T: ?Sized>(Arc<T>, Switch);

#[async_trait]
impl Store for Switched<dyn Store> {
    async fn insert_upload(
        &self,
        upload: Upload,
        owner: Option<SecretHash>,
    ) -> Result<(), StoreError> {
        self.1.pass(StoreError::Unavailable).await?;
        self.0.insert_upload(upload, owner).await
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

    async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
        draft: DeletionDraft,
    ) -> Result<Deleted, StoreError> {
        self.1.pass(StoreError::Unavailable).await?;
        self.0.delete_message(upload, message, by, draft).await
    }

    async fn finish_deletions(&self, limit: usize) -> Result<Vec<Deletion>, StoreError> {
        self.1.pass_uncounted(StoreError::Unavailable).await?;
        self.0.finish_deletions(limit).await
    }

    async fn delete_upload(
        &self,
        upload: UploadId,
        by: Requester,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.1.pass(StoreError::Unavailable).await?;
        self.0.delete_upload(upload, by, at).await
    }

    async fn removals(&self, limit: usize) -> Result<Vec<Removal>, StoreError> {
        self.1.pass_uncounted(StoreError::Unavailable).await?;
        self.0.removals(limit).await
    }

    async fn remove_log(&self, upload: UploadId, limit: usize) -> Result<usize, StoreError> {
        self.1.pass_uncounted(StoreError::Unavailable).await?;
        self.0.remove_log(upload, limit).await
    }

    async fn finish_removal(&self, upload: UploadId) -> Result<(), StoreError> {
        self.1.pass_uncounted(StoreError::Unavailable).await?;
        self.0.finish_removal(upload).await
    }

    async fn entries(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        self.1.pass(StoreError::Unavailable).await?;
        let mut page = self.0.entries(upload, select, limit).await?;
        if let Mode::Behind(head) = self.1.mode() {
            let head = Seq::new(head);
            page.entries.retain(|entry| entry.seq() <= head);
            page.head = page.head.min(head);
        }
        Ok(page)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.1.pass(StoreError::Unavailable).await?;
        self.0.ping().await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, StoreError> {
        self.1.pass_uncounted(StoreError::Unavailable).await?;
        self.0.pairing().await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError> {
        self.1.pass_uncounted(StoreError::Unavailable).await?;
        self.0.pair(id).await
    }

    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError> {
        self.1.pass_uncounted(StoreError::Unavailable).await?;
        self.0.newest_uploads(limit).await
    }

    async fn stored_bytes(&self) -> Result<u64, StoreError> {
        self.1.pass_uncounted(StoreError::Unavailable).await?;
        self.0.stored_bytes().await
    }
}

#[async_trait]
impl Blobs for Switched<dyn Blobs> {
    fn read_buffer_bytes(&self) -> usize {
        self.0.read_buffer_bytes()
    }

    async fn put(&self, key: ShortId, file: TempPath) -> Result<(), BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.put(key, file).await
    }

    async fn read(&self, key: ShortId, range: Range<u64>) -> Result<ByteStream, BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        while self.1.mode() == Mode::BlockedReads {
            sleep(Duration::from_millis(5)).await;
        }
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

    async fn put_derived(
        &self,
        key: ShortId,
        derived: Derived,
        file: TempPath,
    ) -> Result<(), BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        if self.1.mode() == Mode::Full {
            return Err(BlobError::Unavailable);
        }
        self.0.put_derived(key, derived, file).await
    }

    async fn read_derived(
        &self,
        key: ShortId,
        derived: Derived,
    ) -> Result<(u64, ByteStream), BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.read_derived(key, derived).await
    }

    async fn list_derived(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.list_derived(after, limit).await
    }

    async fn ping(&self) -> Result<(), BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.ping().await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, BlobError> {
        self.1.pass_uncounted(BlobError::Unavailable).await?;
        self.0.pairing().await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, BlobError> {
        self.1.pass_uncounted(BlobError::Unavailable).await?;
        self.0.pair(id).await
    }

    async fn mark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.mark_orphan(key).await
    }

    async fn unmark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.unmark_orphan(key).await
    }

    async fn orphan_marks(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.orphan_marks(after, limit).await
    }

    async fn clear_unfinished(&self, before: SystemTime) -> Result<usize, BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.clear_unfinished(before).await
    }

    fn redirect_origin(&self) -> Option<&str> {
        self.0.redirect_origin()
    }

    async fn presigned_url(
        &self,
        key: ShortId,
        method: &Method,
        headers: ResponseHeaders<'_>,
    ) -> Result<Option<PresignedUrl>, BlobError> {
        self.1.pass(BlobError::Unavailable).await?;
        self.0.presigned_url(key, method, headers).await
    }
}
