//! What is wrong with a database shows at the start, and not when somebody asks for what is not there.

use std::time::Duration;

use futures::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::{RawDocumentBuf, doc};
use mongodb::error::Error;
use tokio::time::timeout;
use tracing::warn;

use super::documents::{Stored, StoredMessage, StoredUpload, read};
use super::error::OpenError;
use super::schema::Database;

/// How many documents of each collection are read at the start.
const SAMPLE: i64 = 200;

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Refuses a database that has the one collection with something in it and not the other, as after a restore that was
/// cut short: it would be made anew and be empty. It has to be asked before the indexes are made.
pub(super) async fn refuse_missing_collection(database: &Database) -> Result<(), OpenError> {
    let missing = timeout(PATIENCE, missing(database)).await;
    let missing = missing
        .map_err(|_| OpenError::Unreachable)?
        .map_err(|error| OpenError::of_server(&error))?;
    missing.map_or(Ok(()), |missing| Err(OpenError::Missing(missing)))
}

async fn missing(database: &Database) -> Result<Option<&'static str>, Error> {
    let pairs = [
        (StoredUpload::COLLECTION, database.messages()),
        (StoredMessage::COLLECTION, database.uploads()),
    ];
    for (name, other) in pairs {
        // Asked once more at the end, since another node may be about to make both.
        if !database.has(name).await?
            && other.find_one(doc! {}).await?.is_some()
            && !database.has(name).await?
        {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Warns of documents that are not what this program writes. A server that does not answer shows elsewhere.
pub(super) async fn warn_of_unreadable(database: &Database) {
    let looking = async {
        let uploads = unreadable::<StoredUpload>(database.uploads()).await?;
        let messages = unreadable::<StoredMessage>(database.messages()).await?;
        Ok::<_, Error>([
            (StoredUpload::COLLECTION, uploads),
            (StoredMessage::COLLECTION, messages),
        ])
    };
    let Ok(Ok(found)) = timeout(PATIENCE, looking).await else {
        return;
    };
    for (collection, documents) in found {
        if documents > 0 {
            warn!(
                collection,
                documents,
                looked_at = SAMPLE,
                "documents in MongoDB cannot be read, and asking for them is answered with 503; restore them from a backup"
            );
        }
    }
}

/// How many of some documents cannot be read.
async fn unreadable<S: Stored>(collection: &Collection<RawDocumentBuf>) -> Result<usize, Error> {
    let mut some = collection.find(doc! {}).limit(SAMPLE).await?;
    let mut unreadable = 0;
    while let Some(document) = some.try_next().await? {
        unreadable += usize::from(read::<S>(&document).is_err());
    }
    Ok(unreadable)
}
