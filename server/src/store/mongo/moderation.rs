use std::net::IpAddr;

use app::model::{BlockedAddress, ListedUpload, Report, Timestamp, UploadId};
use futures::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};

use super::documents::{
    StoredBlockedAddress, StoredReports, StoredUpload, binary_of_content, date, document_of_report,
    object_id, read,
};
use super::driver_error::is_duplicate;
use super::error::Failure;
use super::schema::Database;
use super::uploads::{self, not_gone};
use crate::clock;
use crate::store::{ContentHash, MAX_BLOCKED_ADDRESSES, MAX_REPORTS, StoreError, UploadFilter};

/// Adds a report to the document of an upload, and removes the oldest ones if there are too many. That is a second
/// step, since FerretDB knows no `$slice` in a `$push`; what is left by a call that ends in between, the next one
/// removes.
pub(super) async fn add_report(
    database: &Database,
    upload: UploadId,
    report: Report,
) -> Result<(), Failure> {
    let report = document_of_report(&report);
    let add = doc! {
        "$push": { "reports": report },
        "$set": { "isReported": true },
    };
    let mut unless_gone = not_gone();
    unless_gone.insert("_id", object_id(upload));
    let added = database.uploads().update_one(unless_gone, add).await?;
    if added.matched_count == 0 {
        // Says whether it is gone or was never there.
        uploads::state(database, upload).await?;
        return Err(StoreError::Unavailable.into());
    }
    remove_oldest_reports(database, upload).await
}

async fn remove_oldest_reports(database: &Database, upload: UploadId) -> Result<(), Failure> {
    let one_too_many = format!("reports.{MAX_REPORTS}");
    for _ in 0..MAX_REPORTS {
        let if_too_many = doc! { "_id": object_id(upload), &one_too_many: { "$exists": true } };
        let remove = doc! { "$pop": { "reports": -1 } };
        let removed = database.uploads().update_one(if_too_many, remove).await?;
        if removed.matched_count == 0 {
            break;
        }
    }
    Ok(())
}

/// Reads the reports of an upload, the newest first.
pub(super) async fn reports(database: &Database, upload: UploadId) -> Result<Vec<Report>, Failure> {
    uploads::state(database, upload).await?;
    let found = database
        .uploads()
        .find_one(doc! { "_id": object_id(upload) })
        .await?;
    let document = found.ok_or(StoreError::NotFound)?;
    Ok(read::<StoredReports>(&document)?)
}

/// Removes the reports of an upload.
pub(super) async fn dismiss_reports(database: &Database, upload: UploadId) -> Result<(), Failure> {
    uploads::state(database, upload).await?;
    let dismiss = doc! { "$unset": { "reports": "", "isReported": "" } };
    let upload = doc! { "_id": object_id(upload) };
    database.uploads().update_one(upload, dismiss).await?;
    Ok(())
}

/// Reads uploads with their reports, the newest first by their times.
pub(super) async fn list(
    database: &Database,
    filter: UploadFilter,
    before: Option<UploadId>,
    limit: usize,
) -> Result<Vec<ListedUpload>, Failure> {
    let mut conditions = vec![not_gone()];
    if filter == UploadFilter::Reported {
        conditions.push(doc! { "isReported": true });
    }
    if let Some(id) = before {
        conditions.push(older_than(database, id).await?);
    }
    let mut found = database
        .uploads()
        .find(doc! { "$and": conditions })
        .sort(doc! { "createdAt": -1, "_id": -1 })
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .await?;
    let mut listed = Vec::new();
    while let Some(document) = found.try_next().await? {
        listed.push(ListedUpload {
            upload: read::<StoredUpload>(&document)?,
            reports: read::<StoredReports>(&document)?,
        });
    }
    Ok(listed)
}

/// The condition that an upload comes after this one in the order of [`list`].
async fn older_than(database: &Database, id: UploadId) -> Result<Document, Failure> {
    let id = object_id(id);
    let found = database
        .uploads()
        .clone_with_type::<Document>()
        .find_one(doc! { "_id": id })
        .projection(doc! { "_id": 0, "createdAt": 1 })
        .await?;
    let found = found.ok_or(StoreError::NotFound)?;
    let created_at = found.get("createdAt").unwrap_or(&Bson::Null);
    Ok(doc! { "$or": [
        { "createdAt": { "$lt": created_at } },
        { "createdAt": created_at, "_id": { "$lt": id } },
    ] })
}

/// Records that an image is refused.
pub(super) async fn block_image(database: &Database, content: ContentHash) -> Result<(), Failure> {
    let document = doc! { "_id": binary_of_content(content) };
    match database.blocked_images().insert_one(document).await {
        Err(error) if !is_duplicate(&error) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Returns whether an image is refused.
pub(super) async fn is_image_blocked(
    database: &Database,
    content: ContentHash,
) -> Result<bool, Failure> {
    let document = doc! { "_id": binary_of_content(content) };
    let found = database.blocked_images().find_one(document).await?;
    Ok(found.is_some())
}

/// Records until when an address is blocked, and removes what is over.
pub(super) async fn block_address(
    database: &Database,
    address: IpAddr,
    until: Option<Timestamp>,
) -> Result<(), Failure> {
    let blocked = database.blocked_addresses();
    let address = doc! { "_id": address.to_string() };
    match until {
        Some(until) => {
            let set = doc! { "$set": { "until": date(until) } };
            blocked.update_one(address, set).upsert(true).await?;
        }
        None => {
            blocked.delete_one(address).await?;
        }
    }
    let over = doc! { "until": { "$lte": date(clock::now()) } };
    blocked.delete_many(over).await?;
    Ok(())
}

/// Reads the addresses that are blocked now.
pub(super) async fn blocked_addresses(database: &Database) -> Result<Vec<BlockedAddress>, Failure> {
    let mut found = database
        .blocked_addresses()
        .find(doc! { "until": { "$gt": date(clock::now()) } })
        .sort(doc! { "until": -1, "_id": 1 })
        .limit(i64::try_from(MAX_BLOCKED_ADDRESSES).unwrap_or(i64::MAX))
        .await?;
    let mut blocked = Vec::new();
    while let Some(document) = found.try_next().await? {
        blocked.push(read::<StoredBlockedAddress>(&document)?);
    }
    Ok(blocked)
}
