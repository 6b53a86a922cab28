//! The meaning of the driver's errors, and what may be logged of them: never requests or responses as they are, since
//! they contain keys and signatures.

use std::error::Error;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use tracing::warn;

use crate::blob::BlobError;

/// Returns the response's status; 0 when there was no response.
pub(super) fn status<E>(error: &SdkError<E>) -> u16 {
    let answer = error.raw_response();
    answer.map_or(0, |answer| answer.status().as_u16())
}

/// Returns the server's error code; empty when it gave none, as in responses to `HEAD`.
pub(super) fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> &str {
    let error = error.as_service_error();
    error.and_then(E::code).unwrap_or_default()
}

/// Returns whether there is no such object. A missing bucket is another error.
pub(super) fn is_not_found<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    status(error) == 404 && code(error) != "NoSuchBucket"
}

/// Describes the error for a log line or an error message.
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

/// Logs a failed call.
pub(super) fn unavailable<E>(operation: &'static str, error: &SdkError<E>) -> BlobError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    warn!(operation, error = describe(error), "the S3 server failed");
    BlobError::Unavailable
}
