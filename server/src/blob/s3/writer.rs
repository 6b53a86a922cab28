//! Writing to a bucket, and what its server says to that.

use std::error::Error;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use tokio_util::task::TaskTracker;

use super::bucket::Bucket;
use super::error::{code, status, trouble};

/// What all that writes to a bucket has in common.
pub(super) struct Writer {
    pub bucket: Bucket,
    pub conditions: Conditions,
    /// Clears away what was given up.
    pub clearing: TaskTracker,
    /// How long a put may get nowhere.
    pub stall: Duration,
}

/// Whether the server refuses to replace an object when it is asked not to. It is believed to until it says that it
/// does not know how.
pub(super) struct Conditions(pub AtomicBool);

impl Default for Conditions {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

/// Why the server did not make the object.
pub(super) enum Refusal {
    /// The condition does not hold, or the call cannot be repeated: the object may be there, from this very call.
    Undecided,
    /// The server knows no such condition.
    NoConditions,
    /// Anything else; it was logged.
    Away,
}

impl Refusal {
    pub fn of<E>(error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match (status(&error), code(&error)) {
            (409 | 412, _) | (404, "NoSuchUpload") => Self::Undecided,
            (501, _) => Self::NoConditions,
            _ => {
                trouble("keeping an image", &error);
                Self::Away
            }
        }
    }
}
