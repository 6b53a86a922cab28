//! Coalesces concurrent equal reads: when a frame is lost, every viewer of an image asks for the same messages at once.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::model::{Deletion, LogPage, ShortId, Timestamp, Upload, UploadId, UploadRef};
use async_trait::async_trait;
use tokio::sync::oneshot;

use super::{
    Appended, Deleted, DeletionDraft, Draft, MessageRef, Removal, Requester, SecretHash, Select,
    Store, StoreError,
};
use crate::ids::PairingId;

/// A store whose concurrent equal reads share one call. No caller gets the result of a call that began before its own,
/// so every result includes everything that was stored before.
pub struct CoalescingStore {
    store: Arc<dyn Store>,
    uploads: CoalescedReads<UploadRef, Upload>,
    pages: CoalescedReads<(UploadId, Select, usize), LogPage>,
}

impl CoalescingStore {
    /// Wraps a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            uploads: CoalescedReads::default(),
            pages: CoalescedReads::default(),
        }
    }
}

#[async_trait]
impl Store for CoalescingStore {
    async fn insert_upload(
        &self,
        upload: Upload,
        owner: Option<SecretHash>,
    ) -> Result<(), StoreError> {
        self.store.insert_upload(upload, owner).await
    }

    async fn upload(&self, upload: UploadRef) -> Result<Upload, StoreError> {
        self.uploads
            .read(upload, || self.store.upload(upload))
            .await
    }

    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError> {
        self.store.append(upload, drafts).await
    }

    async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
        draft: DeletionDraft,
    ) -> Result<Deleted, StoreError> {
        self.store.delete_message(upload, message, by, draft).await
    }

    async fn finish_deletions(&self, limit: usize) -> Result<Vec<Deletion>, StoreError> {
        self.store.finish_deletions(limit).await
    }

    async fn delete_upload(
        &self,
        upload: UploadId,
        by: Requester,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.delete_upload(upload, by, at).await
    }

    async fn removals(&self, limit: usize) -> Result<Vec<Removal>, StoreError> {
        self.store.removals(limit).await
    }

    async fn remove_log(&self, upload: UploadId, limit: usize) -> Result<usize, StoreError> {
        self.store.remove_log(upload, limit).await
    }

    async fn finish_removal(&self, upload: UploadId) -> Result<(), StoreError> {
        self.store.finish_removal(upload).await
    }

    async fn entries(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        self.pages
            .read((upload, select, limit), || {
                self.store.entries(upload, select, limit)
            })
            .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, StoreError> {
        self.store.pairing().await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError> {
        self.store.pair(id).await
    }

    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError> {
        self.store.newest_uploads(limit).await
    }

    async fn stored_bytes(&self) -> Result<u64, StoreError> {
        self.store.stored_bytes().await
    }

    async fn has_short_id(&self, short_id: ShortId) -> Result<bool, StoreError> {
        self.store.has_short_id(short_id).await
    }

    async fn unused_short_ids(&self, short_ids: Vec<ShortId>) -> Result<Vec<ShortId>, StoreError> {
        self.store.unused_short_ids(short_ids).await
    }
}

/// For each read that is under way, those who wait for the next one. There are at most as many as requests.
type Pending<K, V, E> = Mutex<HashMap<K, VecDeque<oneshot::Sender<Outcome<K, V, E>>>>>;

/// Reads by key, where concurrent callers with the same key share one read.
pub struct CoalescedReads<K: Hash + Eq + Clone, V, E = StoreError>(Arc<Pending<K, V, E>>);

type Receiver<K, V, E> = oneshot::Receiver<Outcome<K, V, E>>;

/// The outcome of a caller's wait.
enum Outcome<K: Hash + Eq + Clone, V, E> {
    /// The result of another caller's read, which began after the wait.
    Result(Result<V, E>),
    /// The caller has to read itself, for all who wait by then.
    Lead(Leader<K, V, E>),
}

/// The right to read this key. When it is dropped, with or without a result, the next waiting caller gets it.
struct Leader<K: Hash + Eq + Clone, V, E> {
    pending: Arc<Pending<K, V, E>>,
    key: K,
    armed: bool,
}

impl<K: Hash + Eq + Clone, V, E> Default for CoalescedReads<K, V, E> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Hash + Eq + Clone, V: Clone, E: Clone> CoalescedReads<K, V, E> {
    /// Returns the result of a read that begins after this call.
    pub(crate) async fn read<F>(&self, key: K, read: impl Fn() -> F) -> Result<V, E>
    where
        F: Future<Output = Result<V, E>>,
    {
        self.read_with(key, || Ok(()), |()| read()).await
    }

    /// Like `read`, for a read that needs something first. If `acquire` fails, only this caller fails, and the next
    /// waiting one reads.
    pub(crate) async fn read_with<F, N>(
        &self,
        key: K,
        acquire: impl Fn() -> Result<N, E>,
        read: impl Fn(N) -> F,
    ) -> Result<V, E>
    where
        F: Future<Output = Result<V, E>>,
    {
        loop {
            let outcome = match self.lead_or_wait(&key) {
                Ok(leader) => Ok(Outcome::Lead(leader)),
                Err(outcome) => outcome.await,
            };
            match outcome {
                Ok(Outcome::Result(result)) => return result,
                Ok(Outcome::Lead(leader)) => {
                    let resource = acquire()?;
                    return leader.read(read(resource)).await;
                }
                // The caller that was reading was cancelled.
                Err(_) => {}
            }
        }
    }

    fn lead_or_wait(&self, key: &K) -> Result<Leader<K, V, E>, Receiver<K, V, E>> {
        match lock(&self.0).entry(key.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(VecDeque::new());
                Ok(Leader {
                    pending: Arc::clone(&self.0),
                    key: key.clone(),
                    armed: true,
                })
            }
            Entry::Occupied(mut waiting) => {
                let (sender, outcome) = oneshot::channel();
                waiting.get_mut().push_back(sender);
                Err(outcome)
            }
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone, E: Clone> Leader<K, V, E> {
    async fn read(self, read: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let waiting = lock(&self.pending)
            .get_mut(&self.key)
            .map(std::mem::take)
            .unwrap_or_default();
        let result = read.await;
        for sender in waiting {
            // The caller may have been cancelled.
            drop(sender.send(Outcome::Result(result.clone())));
        }
        result
    }
}

impl<K: Hash + Eq + Clone, V, E> Drop for Leader<K, V, E> {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let mut pending = lock(&self.pending);
        while let Some(next) = pending.get_mut(&self.key).and_then(VecDeque::pop_front) {
            let leader = Self {
                pending: Arc::clone(&self.pending),
                key: self.key.clone(),
                armed: true,
            };
            match next.send(Outcome::Lead(leader)) {
                Ok(()) => return,
                Err(Outcome::Lead(mut unreceived)) => unreceived.armed = false,
                Err(Outcome::Result(_)) => {}
            }
        }
        pending.remove(&self.key);
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
