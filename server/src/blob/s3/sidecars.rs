//! Small objects beside the images: the id that the bucket shares with the store, and marks of orphans.

use std::sync::atomic::Ordering;

use app::model::ShortId;
use aws_sdk_s3::primitives::ByteStream;
use tracing::{error, warn};

use super::error::{is_not_found, unavailable};
use super::writer::{WriteError, Writer};
use crate::blob::BlobError;
use crate::ids::PairingId;

/// The prefix of the marks' keys.
pub(super) const ORPHANS: &str = "orphans/";
const PAIRING: &str = "pairing.id";
/// The most bytes of a valid id, with white space around it.
const MAX_BYTES: i64 = 256;

/// Returns the key of a blob's mark.
pub(super) fn mark_of(key: ShortId) -> String {
    format!("{ORPHANS}{key}")
}

impl Writer {
    /// Reads the id in the bucket. An object with an invalid id is an error, not a missing id.
    pub(super) async fn read_pairing(&self) -> Result<Option<PairingId>, BlobError> {
        let call = self.bucket.timed.get_object().bucket(&self.bucket.name);
        let got = match call.key(PAIRING).send().await {
            Err(error) if is_not_found(&error) => return Ok(None),
            got => got.map_err(|error| unavailable("reading the id of the images", &error))?,
        };
        if got.content_length().is_none_or(|bytes| bytes > MAX_BYTES) {
            return Err(no_id());
        }
        let bytes = got.body.collect().await.map_err(|error| {
            warn!(%error, "reading the id of the images from the S3 server was interrupted");
            BlobError::Unavailable
        })?;
        let bytes = bytes.into_bytes();
        let id = str::from_utf8(&bytes).ok().and_then(|id| id.parse().ok());
        id.map(Some).ok_or_else(no_id)
    }

    /// Writes the id unless there is one, and returns the one that is there then.
    pub(super) async fn write_pairing(&self, id: PairingId) -> Result<PairingId, BlobError> {
        self.create_if_absent(PAIRING, format!("{id}\n")).await?;
        self.read_pairing().await?.ok_or(BlobError::Unavailable)
    }

    /// Creates a small object unless it exists. If the server does not support conditional writes, it is looked up
    /// first.
    pub(super) async fn create_if_absent(&self, key: &str, text: String) -> Result<(), BlobError> {
        let conditional_writes = &self.conditional_writes.0;
        if conditional_writes.load(Ordering::Relaxed) {
            match self.put_sidecar(key, text.clone(), Some("*")).await {
                Ok(()) | Err(WriteError::Undecided) => return Ok(()),
                Err(WriteError::Unavailable) => return Err(BlobError::Unavailable),
                Err(WriteError::ConditionUnsupported) => {
                    conditional_writes.store(false, Ordering::Relaxed);
                }
            }
        }
        if self.sidecar_exists(key).await? {
            return Ok(());
        }
        let put = self.put_sidecar(key, text, None).await;
        put.map_err(|_| BlobError::Unavailable)
    }

    async fn sidecar_exists(&self, key: &str) -> Result<bool, BlobError> {
        let call = self.bucket.timed.head_object().bucket(&self.bucket.name);
        match call.key(key).send().await {
            Ok(_) => Ok(true),
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(unavailable("looking for an object", &error)),
        }
    }

    async fn put_sidecar(
        &self,
        key: &str,
        text: String,
        condition: Option<&str>,
    ) -> Result<(), WriteError> {
        let call = self.bucket.timed.put_object().bucket(&self.bucket.name);
        let call = call.key(key).content_type("text/plain");
        let call = call.set_if_none_match(condition.map(str::to_owned));
        let put = call.body(ByteStream::from(text.into_bytes())).send().await;
        put.map(drop).map_err(WriteError::of)
    }
}

fn no_id() -> BlobError {
    error!(
        object = PAIRING,
        "the object in the bucket contains no valid id; write the store's into it or remove it"
    );
    BlobError::Unavailable
}
