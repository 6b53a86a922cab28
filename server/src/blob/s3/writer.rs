//! Shared state of all writes to a bucket, and the meaning of the server's refusals.

use std::error::Error;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use tokio_util::task::TaskTracker;

use super::bucket::Bucket;
use super::error::{code, status, unavailable};

/// The settings and connections that all writes to a bucket share.
pub(super) struct Writer {
    pub bucket: Bucket,
    pub conditional_writes: ConditionalWrites,
    /// Tasks that clean up abandoned uploads.
    pub cleanup: TaskTracker,
    /// How long a put may make no progress.
    pub stall_timeout: Duration,
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
                unavailable("keeping an image", &error);
                Self::Unavailable
            }
        }
    }
}
