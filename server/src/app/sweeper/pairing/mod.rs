//! Checks that the store and the blobs belong together, before a blob is deleted because the store does not know it.
//!
//! Both hold the same random id. The store is given one if neither has any; the blobs are given the store's if they are
//! empty, or if samples of both show that they hold the same images. An id is never replaced, and each check reads both
//! ids again: a database may be moved away and put back while a node runs.

mod error;
mod samples;

#[cfg(test)]
mod tests;

pub use self::error::CheckError;

use crate::blob::Blobs;
use crate::ids::PairingId;
use crate::store::Store;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// Both have this id.
    Paired(PairingId),
    /// The blobs belong to another store than this one, which has another id or none.
    Mismatch {
        /// The store's id.
        store: Option<PairingId>,
        /// The blobs' id.
        blobs: PairingId,
    },
    /// The blobs have no id, and the samples do not show that they belong to this store.
    Unconfirmed {
        /// The store's id.
        store: PairingId,
    },
}

/// Compares the ids of both, and writes the missing ones where that is safe. Several nodes may do so at once: the store
/// decides on its id, and the blobs are only ever given that one. A node that dies between the two writes leaves a
/// store with an id and blobs without one; the next check continues from there.
///
/// # Errors
/// When one of them is unavailable, or holds an invalid id.
pub async fn check(store: &dyn Store, blobs: &dyn Blobs) -> Result<Pairing, CheckError> {
    match (store.pairing().await?, blobs.pairing().await?) {
        (Some(one), Some(other)) if one == other => Ok(Pairing::Paired(one)),
        // The content of an empty database may be about to be restored, with its id: it is not given another one.
        (store, Some(blobs)) => Ok(Pairing::Mismatch { store, blobs }),
        (Some(id), None) => pair_blobs(id, store, blobs).await,
        (None, None) => {
            let id = store.pair(PairingId::random()).await?;
            pair_blobs(id, store, blobs).await
        }
    }
}

/// Gives the blobs the store's id, unless they hold images that may not be the store's.
async fn pair_blobs(
    id: PairingId,
    store: &dyn Store,
    blobs: &dyn Blobs,
) -> Result<Pairing, CheckError> {
    let is_empty = blobs.list(None, 1).await?.is_empty();
    if !is_empty && !samples::samples_match(store, blobs).await? {
        return Ok(Pairing::Unconfirmed { store: id });
    }
    match blobs.pair(id).await? {
        existing if existing == id => Ok(Pairing::Paired(id)),
        existing => Ok(Pairing::Mismatch {
            store: Some(id),
            blobs: existing,
        }),
    }
}
