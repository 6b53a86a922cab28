use std::fmt;

use app::model::{AuthorSecret, UploadId};
use sha2::{Digest, Sha256};

/// What is stored of a secret, to recognise who brings it again: SHA-256(`tonesa-owner` ‖ 0x00 ‖ upload id (24 hex
/// digits) ‖ 0x00 ‖ secret). An author's tag is too short for that: others see it, and a secret that fits can be
/// searched for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of this secret on this upload. It differs between uploads, so that a copy of the database does not tell
    /// which belong to one person.
    pub fn new(upload: UploadId, secret: &AuthorSecret) -> Self {
        let digest = Sha256::new()
            .chain_update("tonesa-owner\0")
            .chain_update(upload.to_string())
            .chain_update("\0")
            .chain_update(secret.expose())
            .finalize();
        Self(digest.into())
    }

    /// The hash that a backend has stored.
    pub(super) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What a backend stores.
    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}
