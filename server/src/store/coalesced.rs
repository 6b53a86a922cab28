//! Readers who ask for the same thing at the same time share one read: a frame that is lost makes every viewer of an
//! image ask for the same messages at once.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::model::{MessagePage, ShortId, Upload, UploadId, UploadRef};
use async_trait::async_trait;
use tokio::sync::oneshot;

use super::{Appended, Draft, Select, Store, StoreError};
use crate::ids::PairingId;

/// A store whose equal reads are coalesced. Nobody is answered by a read that began before the question, so that what
/// was stored by then is in every answer.
pub struct Coalesced {
    store: Arc<dyn Store>,
    uploads: Reads<UploadRef, Upload>,
    pages: Reads<(UploadId, Select, usize), MessagePage>,
}

impl Coalesced {
    /// Wraps a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            uploads: Reads::default(),
            pages: Reads::default(),
        }
    }
}

#[async_trait]
impl Store for Coalesced {
    async fn insert_upload(&self, upload: Upload) -> Result<(), StoreError> {
        self.store.insert_upload(upload).await
    }

    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError> {
        self.uploads.join(name, || self.store.upload(name)).await
    }

    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError> {
        self.store.append(upload, drafts).await
    }

    async fn messages(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<MessagePage, StoreError> {
        self.pages
            .join((upload, select, limit), || {
                self.store.messages(upload, select, limit)
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

    async fn has_short_id(&self, short_id: ShortId) -> Result<bool, StoreError> {
        self.store.has_short_id(short_id).await
    }
}

/// The reads of one kind: for each that is under way, those who wait for the next one. There are at most as many as
/// there are requests.
type UnderWay<K, V, E> = Mutex<HashMap<K, VecDeque<oneshot::Sender<Turn<K, V, E>>>>>;

/// Reads that several callers ask for at once, each made once.
pub struct Reads<K: Hash + Eq + Clone, V, E = StoreError>(Arc<UnderWay<K, V, E>>);

type Waiting<K, V, E> = oneshot::Receiver<Turn<K, V, E>>;

/// What becomes of someone who waits.
enum Turn<K: Hash + Eq + Clone, V, E> {
    /// Someone else's read, which began later, brought this.
    Answer(Result<V, E>),
    /// It reads itself, for all who wait by then.
    Lead(Leader<K, V, E>),
}

/// Whoever has it reads. When it is dropped, with its read done or not, the next one who waits gets another.
struct Leader<K: Hash + Eq + Clone, V, E> {
    under_way: Arc<UnderWay<K, V, E>>,
    key: K,
    armed: bool,
}

impl<K: Hash + Eq + Clone, V, E> Default for Reads<K, V, E> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Hash + Eq + Clone, V: Clone, E: Clone> Reads<K, V, E> {
    /// The answer of a read that begins from now on.
    async fn join<F>(&self, key: K, read: impl Fn() -> F) -> Result<V, E>
    where
        F: Future<Output = Result<V, E>>,
    {
        self.join_with(key, || Ok(()), |()| read()).await
    }

    /// The same for a read that needs something. Whoever does not get it is told alone: the next one who waits reads.
    pub(crate) async fn join_with<F, N>(
        &self,
        key: K,
        need: impl Fn() -> Result<N, E>,
        read: impl Fn(N) -> F,
    ) -> Result<V, E>
    where
        F: Future<Output = Result<V, E>>,
    {
        loop {
            let turn = match self.lead_or_wait(&key) {
                Ok(leader) => Ok(Turn::Lead(leader)),
                Err(turn) => turn.await,
            };
            match turn {
                Ok(Turn::Answer(answer)) => return answer,
                Ok(Turn::Lead(leader)) => {
                    let needed = need()?;
                    return leader.read(read(needed)).await;
                }
                // The one who read for others was gone before it could answer.
                Err(_) => {}
            }
        }
    }

    fn lead_or_wait(&self, key: &K) -> Result<Leader<K, V, E>, Waiting<K, V, E>> {
        match lock(&self.0).entry(key.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(VecDeque::new());
                Ok(Leader {
                    under_way: Arc::clone(&self.0),
                    key: key.clone(),
                    armed: true,
                })
            }
            Entry::Occupied(mut waiting) => {
                let (tell, turn) = oneshot::channel();
                waiting.get_mut().push_back(tell);
                Err(turn)
            }
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone, E: Clone> Leader<K, V, E> {
    async fn read(self, read: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let others = lock(&self.under_way)
            .get_mut(&self.key)
            .map(std::mem::take)
            .unwrap_or_default();
        let answer = read.await;
        for other in others {
            // Who is gone needs no answer.
            drop(other.send(Turn::Answer(answer.clone())));
        }
        answer
    }
}

impl<K: Hash + Eq + Clone, V, E> Drop for Leader<K, V, E> {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let mut under_way = lock(&self.under_way);
        while let Some(next) = under_way.get_mut(&self.key).and_then(VecDeque::pop_front) {
            let leader = Self {
                under_way: Arc::clone(&self.under_way),
                key: self.key.clone(),
                armed: true,
            };
            match next.send(Turn::Lead(leader)) {
                Ok(()) => return,
                Err(Turn::Lead(mut unwanted)) => unwanted.armed = false,
                Err(Turn::Answer(_)) => {}
            }
        }
        under_way.remove(&self.key);
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
