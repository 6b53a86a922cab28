//! Small objects beside the images: the id that the bucket shares with the store, and marks of orphans.

use std::sync::atomic::Ordering;

use app::model::ShortId;
use aws_sdk_s3::primitives::ByteStream;
use tracing::{error, warn};

use super::error::{is_not_found, trouble};
use super::writer::{Refusal, Writer};
use crate::blob::BlobError;
use crate::ids::PairingId;

/// What the keys of marks begin with.
pub(super) const ORPHANS: &str = "orphans/";
const PAIRING: &str = "pairing.id";
/// More than an id has with white space around it, in bytes.
const MAX_BYTES: i64 = 256;

/// The key of a blob's mark.
pub(super) fn mark_of(key: ShortId) -> String {
    format!("{ORPHANS}{key}")
}

impl Writer {
    /// The id in the bucket. An object that holds none is an error, not an absent id.
    pub(super) async fn read_pairing(&self) -> Result<Option<PairingId>, BlobError> {
        let call = self.bucket.quick.get_object().bucket(&self.bucket.name);
        let got = match call.key(PAIRING).send().await {
            Err(error) if is_not_found(&error) => return Ok(None),
            got => got.map_err(|error| trouble("reading the id of the images", &error))?,
        };
        if got.content_length().is_none_or(|bytes| bytes > MAX_BYTES) {
            return Err(no_id());
        }
        let bytes = got.body.collect().await.map_err(|error| {
            warn!(%error, "the id of the images broke off on its way from the S3 server");
            BlobError::Unavailable
        })?;
        let bytes = bytes.into_bytes();
        let id = str::from_utf8(&bytes).ok().and_then(|id| id.parse().ok());
        id.map(Some).ok_or_else(no_id)
    }

    /// Writes the id unless there is one; the one that is there then.
    pub(super) async fn write_pairing(&self, id: PairingId) -> Result<PairingId, BlobError> {
        self.make_note(PAIRING, format!("{id}\n")).await?;
        self.read_pairing().await?.ok_or(BlobError::Unavailable)
    }

    /// Makes a small object unless there is one. Where the server knows no condition it is looked for before.
    pub(super) async fn make_note(&self, key: &str, text: String) -> Result<(), BlobError> {
        let conditions = &self.conditions.0;
        if conditions.load(Ordering::Relaxed) {
            match self.put_note(key, text.clone(), Some("*")).await {
                Ok(()) | Err(Refusal::Undecided) => return Ok(()),
                Err(Refusal::Away) => return Err(BlobError::Unavailable),
                Err(Refusal::NoConditions) => conditions.store(false, Ordering::Relaxed),
            }
        }
        if self.has_note(key).await? {
            return Ok(());
        }
        let put = self.put_note(key, text, None).await;
        put.map_err(|_| BlobError::Unavailable)
    }

    async fn has_note(&self, key: &str) -> Result<bool, BlobError> {
        let call = self.bucket.quick.head_object().bucket(&self.bucket.name);
        match call.key(key).send().await {
            Ok(_) => Ok(true),
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(trouble("looking for a note", &error)),
        }
    }

    async fn put_note(
        &self,
        key: &str,
        text: String,
        condition: Option<&str>,
    ) -> Result<(), Refusal> {
        let call = self.bucket.quick.put_object().bucket(&self.bucket.name);
        let call = call.key(key).content_type("text/plain");
        let call = call.set_if_none_match(condition.map(str::to_owned));
        let put = call.body(ByteStream::from(text.into_bytes())).send().await;
        put.map(drop).map_err(Refusal::of)
    }
}

fn no_id() -> BlobError {
    error!(
        object = PAIRING,
        "the object in the bucket holds no id; write the store's into it or remove it"
    );
    BlobError::Unavailable
}
