//! What all writes to a bucket share, small objects, and the meaning of the server's refusals.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use tokio_util::task::TaskTracker;

use super::bucket::Bucket;
use super::error::{code, is_not_found, status, unavailable};
use crate::blob::BlobError;

/// The settings and connections that all writes to a bucket share.
pub(super) struct Writer {
    pub bucket: Bucket,
    pub conditional_writes: ConditionalWrites,
    /// Tasks that abort abandoned multipart uploads.
    pub cleanup: TaskTracker,
    /// How long a put may make no progress.
    pub stall_timeout: Duration,
}

impl Writer {
    /// Creates a small object unless it exists. If the server does not support conditional writes, it is looked up
    /// first.
    pub(super) async fn create_if_absent(&self, key: &str, text: String) -> Result<(), BlobError> {
        let conditional_writes = &self.conditional_writes.0;
        if conditional_writes.load(Ordering::Relaxed) {
            match self.put_small(key, text.clone(), Some("*")).await {
                Ok(()) | Err(WriteError::Undecided) => return Ok(()),
                Err(WriteError::Unavailable) => return Err(BlobError::Unavailable),
                Err(WriteError::ConditionUnsupported) => {
                    conditional_writes.store(false, Ordering::Relaxed);
                }
            }
        }
        if self.exists(key).await? {
            return Ok(());
        }
        let put = self.put_small(key, text, None).await;
        put.map_err(|_| BlobError::Unavailable)
    }

    async fn exists(&self, key: &str) -> Result<bool, BlobError> {
        let call = self.bucket.timed.head_object().bucket(&self.bucket.name);
        match call.key(key).send().await {
            Ok(_) => Ok(true),
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(unavailable("looking for an object", &error)),
        }
    }

    async fn put_small(
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

/// Whether the server supports conditional writes. Assumed until it says otherwise.
pub(super) struct ConditionalWrites(pub AtomicBool);

impl Default for ConditionalWrites {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

/// Why the server did not create the object.
pub(super) enum WriteError {
    /// The condition does not hold, or the call cannot be repeated: the object may exist, created by this very call.
    Undecided,
    /// The server does not support the condition.
    ConditionUnsupported,
    /// Anything else, which was logged.
    Unavailable,
}

impl WriteError {
    pub fn of<E>(error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match (status(&error), code(&error)) {
            (409 | 412, _) | (404, "NoSuchUpload") => Self::Undecided,
            (501, _) => Self::ConditionUnsupported,
            _ => {
                unavailable("storing an image", &error);
                Self::Unavailable
            }
        }
    }
}
