//! Checks the database at the start, so that damage is found then and not when a request needs the data.

use std::time::Duration;

use futures::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::{RawDocumentBuf, doc};
use mongodb::error::Error;
use tokio::time::timeout;
use tracing::warn;

use super::documents::{Stored, StoredEntry, StoredUpload, read};
use super::error::OpenError;
use super::schema::Database;

/// How many documents of each collection are checked.
const SAMPLE_SIZE: i64 = 200;

/// How long each check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Refuses a database where one collection has documents and the other one does not exist, as after an incomplete
/// restore: the missing one would be created empty. Must be called before the indexes are created.
pub(super) async fn refuse_missing_collection(database: &Database) -> Result<(), OpenError> {
    let missing = timeout(CHECK_TIMEOUT, missing(database)).await;
    let missing = missing
        .map_err(|_| OpenError::Unreachable)?
        .map_err(|error| OpenError::of_server(&error))?;
    missing.map_or(Ok(()), |missing| Err(OpenError::Missing(missing)))
}

async fn missing(database: &Database) -> Result<Option<&'static str>, Error> {
    let pairs = [
        (StoredUpload::COLLECTION, database.entries()),
        (StoredEntry::COLLECTION, database.uploads()),
    ];
    for (name, other) in pairs {
        // Checked twice, since another node may be creating both.
        if !database.has(name).await?
            && other.find_one(doc! {}).await?.is_some()
            && !database.has(name).await?
        {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Warns of documents that this program did not write. Errors of the server are ignored here.
pub(super) async fn warn_of_invalid(database: &Database) {
    let checks = async {
        let uploads = count_invalid::<StoredUpload>(database.uploads()).await?;
        let entries = count_invalid::<StoredEntry>(database.entries()).await?;
        Ok::<_, Error>([
            (StoredUpload::COLLECTION, uploads),
            (StoredEntry::COLLECTION, entries),
        ])
    };
    let Ok(Ok(found)) = timeout(CHECK_TIMEOUT, checks).await else {
        return;
    };
    for (collection, documents) in found {
        if documents > 0 {
            warn!(
                collection,
                documents,
                checked = SAMPLE_SIZE,
                "documents in MongoDB are invalid and requests for them are answered with 503; \
                 restore them from a backup"
            );
        }
    }
}

/// Counts the invalid documents in a sample of the collection.
async fn count_invalid<S: Stored>(collection: &Collection<RawDocumentBuf>) -> Result<usize, Error> {
    let mut some = collection.find(doc! {}).limit(SAMPLE_SIZE).await?;
    let mut count_invalid = 0;
    while let Some(document) = some.try_next().await? {
        count_invalid += usize::from(read::<S>(&document).is_err());
    }
    Ok(count_invalid)
}
