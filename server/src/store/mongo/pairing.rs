use mongodb::bson::{Document, doc};

use super::documents::Malformed;
use super::driver_error::is_duplicate;
use super::error::Failure;
use super::schema::{Database, PAIRING};
use crate::ids::PairingId;
use crate::store::StoreError;

const FIELD: &str = "id";

/// Reads the id in the database, with the majority read concern.
pub(super) async fn read(database: &Database) -> Result<Option<PairingId>, Failure> {
    let found = database.pairing().find_one(doc! { "_id": PAIRING }).await?;
    Ok(found.map(|document| parse(&document)).transpose()?)
}

fn parse(document: &Document) -> Result<PairingId, Malformed> {
    let id = document.get_str(FIELD).ok().and_then(|id| id.parse().ok());
    id.ok_or(Malformed {
        collection: PAIRING,
        id: None,
        field: Some(FIELD),
    })
}

/// Gives the database this id unless it has one, and returns the one that it has then. The unique `_id` decides between
/// nodes.
pub(super) async fn write(database: &Database, id: PairingId) -> Result<PairingId, Failure> {
    let document = doc! { "_id": PAIRING, FIELD: id.to_string() };
    match database.pairing().insert_one(document).await {
        Ok(_) => Ok(id),
        // The majority may not have the other node's document yet; the caller tries again later.
        Err(error) if is_duplicate(&error) => {
            read(database).await?.ok_or(StoreError::Unavailable.into())
        }
        Err(error) => Err(error.into()),
    }
}
