//! Backends answer in time or count as away.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::http::error::ApiError;

/// Within what time of a request's arrival a missing backend is told: 3 s, with room for the answer itself.
const BACKENDS: Duration = Duration::from_millis(2_700);

/// The moment by which all backends that a request needs must have answered.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Starts when the request has arrived whole.
    pub fn start() -> Self {
        Self(Instant::now() + BACKENDS)
    }

    /// The backend's answer, or [`ApiError::Unavailable`] when it does not come in time. Dropping the call undoes
    /// nothing: a backend never leaves a write half done.
    ///
    /// # Errors
    /// The backend's own error, as the client is told.
    pub async fn wait<T, E: Into<ApiError>>(
        self,
        backend: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ApiError> {
        let answer = timeout_at(self.0, call).await;
        answer.map_or_else(
            |_| {
                tracing::warn!(backend, "no answer in time");
                Err(ApiError::Unavailable)
            },
            |answer| {
                let answer = answer.map_err(Into::into);
                // The backend has logged why, often for several requests at once; this tells which they were.
                if matches!(answer, Err(ApiError::Unavailable)) {
                    tracing::warn!(backend, "the backend did not do it");
                }
                answer
            },
        )
    }
}
