//! What the driver's errors mean, and what of them may be told: never a request or an answer as it is, since they
//! hold keys and signatures.

use std::error::Error;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use tracing::warn;

use crate::blob::BlobError;

/// The server's status; 0 when it did not answer.
pub(super) fn status<E>(error: &SdkError<E>) -> u16 {
    let answer = error.raw_response();
    answer.map_or(0, |answer| answer.status().as_u16())
}

/// The server's word for what is wrong; empty when it gave none, as in answers to `HEAD`.
pub(super) fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> &str {
    let error = error.as_service_error();
    error.and_then(E::code).unwrap_or_default()
}

/// Whether there is no such object. That the whole bucket is gone is another matter.
pub(super) fn is_not_found<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    status(error) == 404 && code(error) != "NoSuchBucket"
}

/// What went wrong, for a log line or a sentence.
pub(super) fn describe<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if status(error) > 0 {
        return format!("status {} {}", status(error), code(error));
    }
    let mut causes = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    causes.join(": ")
}

/// The server did not do it.
pub(super) fn trouble<E>(doing: &'static str, error: &SdkError<E>) -> BlobError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    warn!(doing, error = describe(error), "the S3 server failed");
    BlobError::Unavailable
}
