use std::collections::HashSet;

use app::model::{ShortId, Timestamp, Upload, UploadId, UploadRef};
use futures::TryStreamExt;
use mongodb::bson::{DateTime, Document, RawDocumentBuf, doc};

use super::documents::{
    StoredRemoval, StoredSum, StoredUpload, StoredUploadState, UploadState, date, object_id, read,
};
use super::driver_error::is_duplicate;
use super::error::Failure;
use super::schema::Database;
use crate::clock;
use crate::store::{Removal, Requester, SecretHash, StoreError, removable_if_expired_by};

/// Inserts an upload, unless one of its ids is taken.
pub(super) async fn insert(
    database: &Database,
    upload: &Upload,
    owner: Option<SecretHash>,
) -> Result<(), Failure> {
    let stored = StoredUpload::new(upload, owner);
    let inserted = database
        .uploads()
        .clone_with_type::<StoredUpload>()
        .insert_one(stored)
        .await;
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if is_duplicate(&error) => Err(StoreError::AlreadyExists.into()),
        Err(error) => Err(error.into()),
    }
}

/// Reads the upload with this id or short id.
pub(super) async fn find(database: &Database, name: UploadRef) -> Result<Upload, Failure> {
    let filter = match name {
        UploadRef::Id(id) => doc! { "_id": object_id(id) },
        UploadRef::Short(id) => doc! { "shortID": id.as_str() },
    };
    let found = database.uploads().find_one(filter);
    let found = found.projection(without_reports()).await?;
    let document = found.ok_or(StoreError::NotFound)?;
    refuse_gone(&read::<StoredUploadState>(&document)?)?;
    Ok(read::<StoredUpload>(&document)?)
}

/// Reads the state of an upload that is there. Fails with [`StoreError::NotFound`] if there is none with this id, and
/// with [`StoreError::Gone`] if it was deleted or has expired.
pub(super) async fn state(database: &Database, id: UploadId) -> Result<UploadState, Failure> {
    let found = database
        .uploads()
        .find_one(doc! { "_id": object_id(id) })
        .projection(doc! { "_id": 0, "expiresAt": 1, "deletedAt": 1, "owner": 1 })
        .await?;
    let document = found.ok_or(StoreError::NotFound)?;
    let state = read::<StoredUploadState>(&document)?;
    refuse_gone(&state)?;
    Ok(state)
}

/// Returns which of these short ids no upload has that is there.
pub(super) async fn unused(
    database: &Database,
    short_ids: Vec<ShortId>,
) -> Result<Vec<ShortId>, Failure> {
    let texts: Vec<_> = short_ids.iter().map(ShortId::as_str).collect();
    let mut found = database
        .uploads()
        .find(doc! { "shortID": { "$in": texts } })
        .projection(without_reports())
        .await?;
    let mut used = HashSet::new();
    while let Some(document) = found.try_next().await? {
        if refuse_gone(&read::<StoredUploadState>(&document)?).is_ok() {
            used.insert(read::<StoredUpload>(&document)?.short_id);
        }
    }
    let is_unused = |short_id: &ShortId| !used.contains(short_id);
    Ok(short_ids.into_iter().filter(is_unused).collect())
}

fn refuse_gone(state: &UploadState) -> Result<(), StoreError> {
    let has_expired = state.expires_at.is_some_and(|at| at <= clock::now());
    if state.is_deleted || has_expired {
        return Err(StoreError::Gone);
    }
    Ok(())
}

/// Marks an upload as deleted, if `by` may do that.
pub(super) async fn delete(
    database: &Database,
    id: UploadId,
    by: Requester,
    at: Timestamp,
) -> Result<(), Failure> {
    let UploadState { owner, .. } = state(database, id).await?;
    if !by.may_delete(&[owner]) {
        return Err(StoreError::Forbidden.into());
    }
    let unless_deleted = doc! { "_id": object_id(id), "deletedAt": { "$exists": false } };
    let at = date(at);
    let mark = doc! { "$set": { "deletedAt": at, "removeAt": at, "modifiedAt": at } };
    let marked = database.uploads().update_one(unless_deleted, mark).await?;
    // Another call was faster.
    if marked.matched_count == 0 {
        return Err(StoreError::Gone.into());
    }
    Ok(())
}

/// Reads which uploads are gone, are to be removed, and are not removed yet, those that have been gone for longest
/// first.
pub(super) async fn removals(database: &Database, limit: usize) -> Result<Vec<Removal>, Failure> {
    let expired_by = DateTime::from_millis(removable_if_expired_by());
    let due = doc! {
        "removeAt": { "$lte": date(clock::now()) },
        "$or": [
            { "deletedAt": { "$exists": true } },
            { "removeAt": { "$lte": expired_by } },
        ],
    };
    let mut due = database
        .uploads()
        .find(due)
        .sort(doc! { "removeAt": 1 })
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .projection(doc! { "shortID": 1, "removeAt": 1 })
        .await?;
    let mut removals = Vec::new();
    while let Some(document) = due.try_next().await? {
        removals.push(read::<StoredRemoval>(&document)?);
    }
    Ok(removals)
}

/// Removes entries of the log of an upload that is gone, and returns how many.
pub(super) async fn remove_log(
    database: &Database,
    id: UploadId,
    limit: usize,
) -> Result<usize, Failure> {
    require_gone(database, id).await?;
    let first: Vec<_> = database
        .entries()
        .clone_with_type::<Document>()
        .find(doc! { "uploadID": object_id(id) })
        .sort(doc! { "seq": 1 })
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .projection(doc! { "_id": 1 })
        .await?
        .try_collect()
        .await?;
    let ids: Vec<_> = first.iter().filter_map(|entry| entry.get("_id")).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let these = doc! { "_id": { "$in": ids } };
    let removed = database.entries().delete_many(these).await?;
    Ok(usize::try_from(removed.deleted_count).unwrap_or(usize::MAX))
}

/// Records that nothing is left of an upload that is gone.
pub(super) async fn finish_removal(database: &Database, id: UploadId) -> Result<(), Failure> {
    require_gone(database, id).await?;
    let upload = doc! { "_id": object_id(id) };
    let done = doc! { "$unset": { "removeAt": "", "reports": "", "isReported": "" } };
    database.uploads().update_one(upload, done).await?;
    Ok(())
}

async fn require_gone(database: &Database, id: UploadId) -> Result<(), Failure> {
    match state(database, id).await {
        Err(Failure::Refused(StoreError::Gone)) => Ok(()),
        Ok(_) => Err(StoreError::NotFound.into()),
        Err(failure) => Err(failure),
    }
}

/// The condition that an upload is not gone.
pub(super) fn not_gone() -> Document {
    doc! {
        "deletedAt": { "$exists": false },
        "$or": [
            { "expiresAt": { "$exists": false } },
            { "expiresAt": { "$gt": date(clock::now()) } },
        ],
    }
}

/// The projection to all but the reports, which may be long.
fn without_reports() -> Document {
    doc! { "reports": 0 }
}

/// Reads the short ids of the newest uploads, by their times.
pub(super) async fn newest(database: &Database, limit: usize) -> Result<Vec<ShortId>, Failure> {
    let newest = database.uploads().find(not_gone());
    let newest = newest.projection(without_reports());
    let newest = newest.sort(doc! { "createdAt": -1 });
    let mut newest = newest
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .await?;
    let mut keys = Vec::new();
    while let Some(document) = newest.try_next().await? {
        keys.push(read::<StoredUpload>(&document)?.short_id);
    }
    Ok(keys)
}

/// Adds up the sizes of the images that are not removed: `removeAt` is absent for those that are, and for those that
/// neither were deleted nor expire. It reads the whole collection.
pub(super) async fn stored_bytes(database: &Database) -> Result<u64, Failure> {
    let lasting = doc! { "deletedAt": { "$exists": false }, "expiresAt": { "$exists": false } };
    let not_removed = doc! { "$or": [{ "removeAt": { "$exists": true } }, lasting] };
    let sum = doc! { "_id": null, "bytes": { "$sum": "$content.size" } };
    let stages = [doc! { "$match": not_removed }, doc! { "$group": sum }];
    let sums = database.uploads().aggregate(stages);
    let mut sums = sums.with_type::<RawDocumentBuf>().await?;
    // Without any upload there is no group.
    match sums.try_next().await? {
        Some(sum) => Ok(read::<StoredSum>(&sum)?),
        None => Ok(0),
    }
}
