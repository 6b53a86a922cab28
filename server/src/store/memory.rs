//! A store within the process, for simulations. Nothing in it is durable.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use app::model::{
    ClientMessageId, Deletion, LogEntry, LogPage, Seq, ShortId, Timestamp, Upload, UploadId,
    UploadRef,
};
use async_trait::async_trait;

use super::{
    Appended, Deleted, DeletionDraft, Draft, MessageRef, Position, Removal, Requester, SecretHash,
    Select, Store, StoreError, removable_if_expired_by,
};
use crate::clock;
use crate::ids::PairingId;

/// A store within the process. Every call is done when its future is first polled.
#[derive(Default)]
pub struct MemoryStore(Mutex<Tables>);

/// All that a store had at a time.
pub struct Backup(Tables);

#[derive(Default, Clone)]
struct Tables {
    /// In the order of their insertion.
    uploads: Vec<Row>,
    by_id: HashMap<UploadId, usize>,
    by_short_id: HashMap<ShortId, usize>,
    pairing: Option<PairingId>,
}

/// An upload with its log.
#[derive(Clone)]
struct Row {
    upload: Upload,
    owner: Option<SecretHash>,
    deleted_at: Option<Timestamp>,
    is_removed: bool,
    log: BTreeMap<Seq, Record>,
    by_client_id: HashMap<ClientMessageId, Seq>,
    last: Position,
}

#[derive(Clone)]
struct Record {
    entry: LogEntry,
    owner: Option<SecretHash>,
}

impl MemoryStore {
    /// Returns the newest entries of a log, also when its upload is gone; `None` if there is no such upload.
    pub fn inspect(&self, upload: UploadId, limit: usize) -> Option<LogPage> {
        let tables = self.lock();
        let row = &tables.uploads[*tables.by_id.get(&upload)?];
        Some(row.page(Select::Newest, limit))
    }

    /// Makes a backup.
    pub fn backup(&self) -> Backup {
        Backup(self.lock().clone())
    }

    /// Restores a backup: what was stored since is lost.
    pub fn restore(&self, backup: Backup) {
        *self.lock() = backup.0;
    }

    /// Removes everything.
    pub fn clear(&self) {
        *self.lock() = Tables::default();
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn row(&mut self, id: UploadId) -> Result<&mut Row, StoreError> {
        let index = self.by_id.get(&id).ok_or(StoreError::NotFound)?;
        self.uploads[*index].existing()
    }

    fn gone_row(&mut self, id: UploadId) -> Result<&mut Row, StoreError> {
        let index = self.by_id.get(&id).ok_or(StoreError::NotFound)?;
        let row = &mut self.uploads[*index];
        if row.is_gone() {
            Ok(row)
        } else {
            Err(StoreError::NotFound)
        }
    }
}

impl Row {
    fn is_gone(&self) -> bool {
        let expires_at = self.upload.expires_at;
        self.deleted_at.is_some() || expires_at.is_some_and(|at| at <= clock::now())
    }

    fn existing(&mut self) -> Result<&mut Self, StoreError> {
        if self.is_gone() {
            return Err(StoreError::Gone);
        }
        Ok(self)
    }

    fn append(&mut self, draft: Draft) -> Appended {
        if let Some(seq) = self.by_client_id.get(draft.client_message_id()) {
            return Appended::Known(self.log[seq].entry.clone());
        }
        self.last = self.last.next(&draft);
        let (client_id, owner) = (draft.client_message_id().clone(), draft.owner);
        let message = draft.into_message(self.upload.id, self.last);
        self.by_client_id.insert(client_id, message.seq);
        self.push(message.clone().into(), owner);
        Appended::New(message)
    }

    fn push(&mut self, entry: LogEntry, owner: Option<SecretHash>) {
        self.log.insert(entry.seq(), Record { entry, owner });
    }

    fn delete(
        &mut self,
        message: MessageRef,
        by: Requester,
        draft: DeletionDraft,
    ) -> Result<Deleted, StoreError> {
        let record = self.log.get_mut(&message.seq);
        let record = record
            .filter(|it| !matches!(it.entry, LogEntry::Deletion(_)) && message.is(it.entry.id()));
        let record = record.ok_or(StoreError::NotFound)?;
        if !by.may_delete(&[record.owner, self.owner]) {
            return Err(StoreError::Forbidden);
        }
        if matches!(record.entry, LogEntry::DeletedMessage(_)) {
            return Ok(Deleted::Already);
        }
        self.last = self.last.next_deletion();
        let deletion = Deletion {
            id: draft.id,
            upload_id: self.upload.id,
            seq: self.last.seq,
            deletes: message.seq,
            created_at: draft.created_at,
        };
        record.entry = record.entry.clone().after(&deletion);
        self.push(LogEntry::Deletion(deletion), None);
        Ok(Deleted::New(deletion))
    }

    fn page(&self, select: Select, limit: usize) -> LogPage {
        LogPage {
            entries: self.select(select, limit),
            head: self.last.seq,
        }
    }

    fn select(&self, select: Select, limit: usize) -> Vec<LogEntry> {
        let clone = |(_, record): (&Seq, &Record)| record.entry.clone();
        let backwards = |seq| {
            let newest = self.log.range(..seq).rev().take(limit);
            let mut entries: Vec<_> = newest.map(clone).collect();
            entries.reverse();
            entries
        };
        match select {
            Select::Newest => backwards(Seq::new(u64::MAX)),
            Select::Before(seq) => backwards(seq),
            Select::After(seq) => {
                let later = self.log.range(seq..).filter(|(it, _)| **it > seq);
                later.take(limit).map(clone).collect()
            }
            Select::Since(time) => {
                let later = self.log.iter().map(clone);
                let mut later: Vec<_> = later.filter(|it| it.created_at() > time).collect();
                later.sort_by_key(|entry| (entry.created_at(), entry.seq()));
                later.truncate(limit);
                later
            }
        }
    }

    fn removal(&self) -> Option<Removal> {
        let expires_at = self.upload.expires_at;
        let is_due = |at: &Timestamp| at.unix_millis() <= removable_if_expired_by();
        let since = self.deleted_at.or(expires_at.filter(is_due))?;
        (!self.is_removed).then_some(Removal {
            upload: self.upload.id,
            short_id: self.upload.short_id,
            since,
        })
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn insert_upload(
        &self,
        upload: Upload,
        owner: Option<SecretHash>,
    ) -> Result<(), StoreError> {
        let tables = &mut *self.lock();
        let is_taken = tables.by_id.contains_key(&upload.id);
        if is_taken || tables.by_short_id.contains_key(&upload.short_id) {
            return Err(StoreError::AlreadyExists);
        }
        let index = tables.uploads.len();
        tables.by_id.insert(upload.id, index);
        tables.by_short_id.insert(upload.short_id, index);
        tables.uploads.push(Row {
            upload,
            owner,
            deleted_at: None,
            is_removed: false,
            log: BTreeMap::new(),
            by_client_id: HashMap::new(),
            last: Position::default(),
        });
        Ok(())
    }

    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError> {
        let mut tables = self.lock();
        let index = match name {
            UploadRef::Id(id) => tables.by_id.get(&id),
            UploadRef::Short(id) => tables.by_short_id.get(&id),
        };
        let index = *index.ok_or(StoreError::NotFound)?;
        Ok(tables.uploads[index].existing()?.upload.clone())
    }

    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError> {
        let mut tables = self.lock();
        let row = tables.row(upload)?;
        Ok(drafts.into_iter().map(|draft| row.append(draft)).collect())
    }

    async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
        draft: DeletionDraft,
    ) -> Result<Deleted, StoreError> {
        self.lock().row(upload)?.delete(message, by, draft)
    }

    async fn delete_upload(
        &self,
        upload: UploadId,
        by: Requester,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tables = self.lock();
        let row = tables.row(upload)?;
        if !by.may_delete(&[row.owner]) {
            return Err(StoreError::Forbidden);
        }
        row.deleted_at = Some(at);
        Ok(())
    }

    async fn removals(&self, limit: usize) -> Result<Vec<Removal>, StoreError> {
        let tables = self.lock();
        let removals = tables.uploads.iter().filter_map(Row::removal);
        Ok(removals.take(limit).collect())
    }

    async fn remove_log(&self, upload: UploadId, limit: usize) -> Result<usize, StoreError> {
        let mut tables = self.lock();
        let row = tables.gone_row(upload)?;
        let count = row.log.len().min(limit);
        for _ in 0..count {
            row.log.pop_first();
        }
        row.by_client_id.clear();
        Ok(count)
    }

    async fn finish_removal(&self, upload: UploadId) -> Result<(), StoreError> {
        self.lock().gone_row(upload)?.is_removed = true;
        Ok(())
    }

    async fn entries(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        let mut tables = self.lock();
        Ok(tables.row(upload)?.page(select, limit))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn pairing(&self) -> Result<Option<PairingId>, StoreError> {
        Ok(self.lock().pairing)
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError> {
        Ok(*self.lock().pairing.get_or_insert(id))
    }

    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError> {
        let tables = self.lock();
        let newest = tables.uploads.iter().rev().filter(|row| !row.is_gone());
        Ok(newest.take(limit).map(|row| row.upload.short_id).collect())
    }

    async fn stored_bytes(&self) -> Result<u64, StoreError> {
        let tables = self.lock();
        let kept = tables.uploads.iter().filter(|row| !row.is_removed);
        Ok(kept.map(|row| row.upload.content.size).sum())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::conformance::store_suite;

    store_suite!(async {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        (store, ())
    });
}
