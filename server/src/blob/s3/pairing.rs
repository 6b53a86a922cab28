//! The id that the bucket shares with the store.

use tracing::{error, warn};

use super::error::{is_not_found, unavailable};
use super::writer::Writer;
use crate::blob::BlobError;
use crate::ids::PairingId;

const PAIRING: &str = "pairing.id";
/// The most bytes of a valid id, with white space around it.
const MAX_BYTES: i64 = 256;

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
}

fn no_id() -> BlobError {
    error!(
        object = PAIRING,
        "the object in the bucket contains no valid id; write the store's into it or remove it"
    );
    BlobError::Unavailable
}
