//! Proves that the store and the blobs belong together, before anything is deleted because the store does not know it.
//!
//! Both hold the same random id. The store is given one when there is none in either; the blobs are given the store's
//! when they are empty, or when what lies in both shows that it is the same images. An id is never replaced, and each
//! check reads both anew: a database may be moved away and put back while a node runs.

mod error;
mod evidence;

#[cfg(test)]
mod tests;

pub use self::error::CheckError;

use crate::blob::Blobs;
use crate::ids::PairingId;
use crate::store::Store;

/// How the store and the blobs stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// They share this id.
    Paired(PairingId),
    /// The blobs belong to another store than this one, which has this id or none.
    Mismatch {
        /// The store's.
        store: Option<PairingId>,
        /// The blobs'.
        blobs: PairingId,
    },
    /// The blobs have no id, and what lies in both does not show that they belong to this store.
    Unproven {
        /// The store's.
        store: PairingId,
    },
}

/// Compares the ids of both, as they are now, and writes those that are missing where that is safe. Several nodes may
/// do so at once: the store decides on its id, and the blobs are only ever given that one. A node that dies between
/// the two writes leaves a store with an id and blobs without one, which the next check goes on from.
///
/// # Errors
/// When one of them is away, or holds an id that is none.
pub async fn check(store: &dyn Store, blobs: &dyn Blobs) -> Result<Pairing, CheckError> {
    match (store.pairing().await?, blobs.pairing().await?) {
        (Some(one), Some(other)) if one == other => Ok(Pairing::Paired(one)),
        // An empty database may be one whose content is about to be put back, with its id: it is not given another.
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
    if !is_empty && !evidence::is_good(store, blobs).await? {
        return Ok(Pairing::Unproven { store: id });
    }
    match blobs.pair(id).await? {
        theirs if theirs == id => Ok(Pairing::Paired(id)),
        theirs => Ok(Pairing::Mismatch {
            store: Some(id),
            blobs: theirs,
        }),
    }
}
