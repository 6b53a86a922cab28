use app::model::{ShortId, Upload, UploadId, UploadRef};
use futures::TryStreamExt;
use mongodb::bson::doc;

use super::documents::{StoredUpload, object_id, read};
use super::driver_error::is_duplicate;
use super::error::Failure;
use super::schema::Database;
use crate::store::StoreError;

/// Inserts an upload, unless one of its ids is taken.
pub(super) async fn insert(database: &Database, upload: &Upload) -> Result<(), Failure> {
    let stored = StoredUpload::from(upload);
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
    let found = database.uploads().find_one(filter).await?;
    let document = found.ok_or(StoreError::NotFound)?;
    Ok(read::<StoredUpload>(&document)?)
}

/// Reads the short ids of the newest uploads, by their times.
pub(super) async fn newest(database: &Database, limit: usize) -> Result<Vec<ShortId>, Failure> {
    let newest = database.uploads().find(doc! {});
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

/// Fails with [`StoreError::NotFound`] if there is no upload with this id.
pub(super) async fn require(database: &Database, id: UploadId) -> Result<(), Failure> {
    let found = database
        .uploads()
        .find_one(doc! { "_id": object_id(id) })
        .projection(doc! { "_id": 1 })
        .await?;
    found.map(drop).ok_or(StoreError::NotFound.into())
}
