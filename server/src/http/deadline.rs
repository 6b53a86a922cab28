//! The time limit for the backends' part of a request.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::http::error::ApiError;

/// How long the backends may take: an unavailable one is reported within 3 s of the request's arrival, with some time
/// left for the answer itself.
const BACKEND_TIMEOUT: Duration = Duration::from_millis(2_700);

/// Logs that a backend has given no result in time, and returns the error that says so.
pub fn no_result_in_time(backend: &'static str) -> ApiError {
    tracing::warn!(backend, "no result in time");
    ApiError::Unavailable
}

/// The time by which all backends that a request needs must have answered.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Starts when the whole request has arrived.
    pub fn start() -> Self {
        Self(Instant::now() + BACKEND_TIMEOUT)
    }

    /// Waits for the backend's result, until the deadline. Dropping the call then undoes nothing: a write may still be
    /// completed, but is never left half done.
    ///
    /// # Errors
    /// The backend's own error, or [`ApiError::Unavailable`] when there is no result in time.
    pub async fn wait<T, E: Into<ApiError>>(
        self,
        backend: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ApiError> {
        let result = timeout_at(self.0, call).await;
        result.map_or_else(
            |_| Err(no_result_in_time(backend)),
            |result| {
                let result = result.map_err(Into::into);
                // The backend has logged the reason, often once for several requests; this shows which requests it
                // concerned.
                if matches!(result, Err(ApiError::Unavailable)) {
                    tracing::warn!(backend, "the backend is unavailable");
                }
                result
            },
        )
    }
}
