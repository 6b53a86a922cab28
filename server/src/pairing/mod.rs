//! Proves that the store and the blobs belong together, before anything is deleted because the store does not know it.
//!
//! Both hold the same random id. The store is given one when there is none in either; the blobs are given the store's
//! when they are empty, or when what lies in both shows that it is the same images. An id is never replaced, and each
//! check reads both anew: a database may be moved away and put back while a node runs.

mod evidence;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::blob::{BlobError, Blobs};
use crate::store::{Store, StoreError};

/// The id that a store and the blobs that belong to it share: 128 random bits, written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairingId(u128);

impl PairingId {
    /// A new one.
    pub fn random() -> Self {
        Self(rand::random())
    }
}

impl fmt::Display for PairingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The text is no pairing id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a pairing id is 32 hexadecimal digits")]
pub struct NoPairingId;

impl FromStr for PairingId {
    type Err = NoPairingId;

    /// White space around the digits is passed over, since people write them with an editor.
    fn from_str(text: &str) -> Result<Self, NoPairingId> {
        let digits = text.trim();
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(digits, 16).ok();
        number
            .filter(|_| digits.len() == 32 && is_hex)
            .map(Self)
            .ok_or(NoPairingId)
    }
}

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

/// Why the check came to no end. It says nothing about whether the two belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CheckError {
    /// The blobs.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
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
