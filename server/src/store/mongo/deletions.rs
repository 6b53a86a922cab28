//! Deleting messages, in steps that can each be repeated: transactions are not used.
//!
//! 1. The intent is recorded in a collection of its own, unless it is there already.
//! 2. What the message says is removed, before anybody is told.
//! 3. The entry is appended. The index of client ids allows one for each message.
//! 4. The intent is removed.
//!
//! Whatever happens in between, the recorded intent says what remains to be done, also to another call or another node.
//! Everybody takes the entry's id and its time from there, so they all do the same. After the restore of a backup,
//! another message may have the number, or none: the intent is dropped then.

use std::sync::{Arc, Mutex, PoisonError};

use app::model::{Deletion, UploadId};
use futures::TryStreamExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, DateTime, RawDocument, doc};
use tokio::try_join;
use tracing::warn;

use super::append::append_deletion;
use super::append_locks::AppendLocks;
use super::documents::{PendingDeletion, StoredDeletion, client_id_of_deletion, date, read};
use super::error::{Failure, log_malformed};
use super::log::Log;
use super::retry::Retries;
use super::schema::Database;
use super::uploads;
use crate::clock;
use crate::store::{Deleted, DeletionDraft, MessageRef, Requester, StoreError};

/// The age from which an intent counts as abandoned, in milliseconds: longer than a call may take, with some time for
/// nodes whose clocks differ. If its call is still at work, both take the same steps, which does no harm.
const ABANDONED_AFTER: i64 = 10_000;
/// How many intents are read at most for each deletion that may be finished: some cannot be.
const READ_PER_FINISHED: usize = 10;

/// Deletes a message, if `by` may do that.
pub(super) async fn delete_message(
    database: &Database,
    locks: &AppendLocks,
    (upload, wanted): (UploadId, MessageRef),
    by: Requester,
    draft: DeletionDraft,
) -> Result<Deleted, Failure> {
    let log = Log::new(database, upload);
    let seq = wanted.seq;
    let (state, message) = try_join!(uploads::state(database, upload), log.message(seq))?;
    let message = message.filter(|found| wanted.is(found.id));
    let message = message.ok_or(StoreError::NotFound)?;
    if !by.may_delete(&[message.owner, state.owner]) {
        return Err(StoreError::Forbidden.into());
    }
    let client_id = client_id_of_deletion(seq);
    if message.is_deleted && !log.known(&[&client_id]).await?.is_empty() {
        return Ok(Deleted::Already);
    }
    let pending = PendingDeletion {
        message: message.id,
        upload,
        deletes: seq,
        draft,
    };
    let pending = record(database, pending).await?;
    let deletion = finish(database, locks, pending).await?;
    Ok(if deletion.id == draft.id {
        Deleted::New(deletion)
    } else {
        // Another call has begun it, and is answered or dead.
        Deleted::Already
    })
}

/// After which intent the next look for abandoned deletions begins; at first, and when all were seen, at the beginning.
/// So intents that cannot be followed are in nobody's way, however many they are. Clones share it.
#[derive(Clone, Default)]
pub(super) struct AbandonedFrom(Arc<Mutex<Option<ObjectId>>>);

impl AbandonedFrom {
    fn get(&self) -> Option<ObjectId> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, seen: Option<ObjectId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }
}

/// Finishes deletions that were begun and abandoned, at most `limit`, and returns their entries. Reads at most
/// [`READ_PER_FINISHED`] times as many, and goes on after them at the next call.
pub(super) async fn finish_abandoned(
    database: &Database,
    locks: &AppendLocks,
    from: &AbandonedFrom,
    limit: usize,
) -> Result<Vec<Deletion>, Failure> {
    let begun_before = DateTime::from_millis(clock::now().unix_millis() - ABANDONED_AFTER);
    let mut abandoned = doc! { "createdAt": { "$lte": begun_before } };
    if let Some(seen) = from.get() {
        abandoned.insert("_id", doc! { "$gt": seen });
    }
    let find = database.deletions().find(abandoned);
    let mut abandoned = find.sort(doc! { "_id": 1 }).await?;
    let mut finished = Vec::new();
    for _ in 0..limit.saturating_mul(READ_PER_FINISHED) {
        if finished.len() == limit {
            return Ok(finished);
        }
        let Some(document) = abandoned.try_next().await? else {
            from.set(None);
            return Ok(finished);
        };
        if let Ok(seen) = document.get_object_id("_id") {
            from.set(Some(seen));
        }
        let Some(pending) = read_or_discard(database, &document).await? else {
            continue;
        };
        match finish(database, locks, pending).await {
            Ok(deletion) => finished.push(deletion),
            // Nothing is left of the upload.
            Err(Failure::Refused(StoreError::Gone)) => forget(database, pending).await?,
            Err(Failure::Refused(StoreError::NotFound)) => {
                warn!("a message that was about to be deleted is not in the database any more");
                forget(database, pending).await?;
            }
            // An entry of the log, or the upload. The deletion waits until somebody has mended it.
            Err(Failure::Malformed(malformed)) => log_malformed(&malformed),
            Err(failure) => return Err(failure),
        }
    }
    Ok(finished)
}

/// Records the intent, and returns it, or the one that another call has recorded before.
async fn record(database: &Database, pending: PendingDeletion) -> Result<PendingDeletion, Failure> {
    let deletions = database.deletions();
    let mut retries = Retries::default();
    loop {
        let document = StoredDeletion::from(&pending);
        let inserted = deletions
            .clone_with_type::<StoredDeletion>()
            .insert_one(document)
            .await;
        let Err(error) = inserted else {
            return Ok(pending);
        };
        retries.wait_after(error.into()).await?;
        let found = deletions.find_one(doc! { "_id": id(pending) }).await?;
        if let Some(document) = found
            && let Some(earlier) = read_or_discard(database, &document).await?
        {
            return Ok(earlier);
        }
        // Otherwise the other call has finished it meanwhile. So will this one, which finds nothing left to do.
    }
}

/// Does the steps that follow the first one. Fails with [`StoreError::NotFound`], and does nothing, if the log has no
/// message with this id and number.
async fn finish(
    database: &Database,
    locks: &AppendLocks,
    pending: PendingDeletion,
) -> Result<Deletion, Failure> {
    let message = Log::new(database, pending.upload).message(pending.deletes);
    let (_, message) = try_join!(uploads::state(database, pending.upload), message)?;
    if message.is_none_or(|message| message.id != pending.message) {
        return Err(StoreError::NotFound.into());
    }
    let deleted_at = date(pending.draft.created_at);
    let clear = doc! {
        "$set": { "deletedAt": deleted_at, "modifiedAt": deleted_at },
        "$unset": { "anonName": "", "content": "", "author": "", "at": "" },
    };
    let unless_cleared = doc! { "_id": id(pending), "deletedAt": { "$exists": false } };
    database.entries().update_one(unless_cleared, clear).await?;
    let deletion = {
        let mut state = locks.lock(pending.upload).await;
        append_deletion(database, pending, &mut state).await?
    };
    // If it stays, it is removed later, since it is then found to be finished.
    drop(forget(database, pending).await);
    Ok(deletion)
}

async fn forget(database: &Database, pending: PendingDeletion) -> Result<(), Failure> {
    let document = doc! { "_id": id(pending) };
    database.deletions().delete_one(document).await?;
    Ok(())
}

/// Reads an intent. One that no node has written is removed, since nobody knows what it says.
async fn read_or_discard(
    database: &Database,
    document: &RawDocument,
) -> Result<Option<PendingDeletion>, Failure> {
    let malformed = match read::<StoredDeletion>(document) {
        Ok(pending) => return Ok(Some(pending)),
        Err(malformed) => malformed,
    };
    log_malformed(&malformed);
    let id = document.get("_id").ok().flatten();
    let id = id.and_then(|id| Bson::try_from(id).ok()).ok_or(malformed)?;
    database.deletions().delete_one(doc! { "_id": id }).await?;
    Ok(None)
}

fn id(pending: PendingDeletion) -> ObjectId {
    ObjectId::from_bytes(*pending.message.as_bytes())
}
