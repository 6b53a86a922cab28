//! Errors of the HTTP API: `application/problem+json` (RFC 9457).

use serde::{Deserialize, Serialize};

/// The media type of [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI reference that identifies the kind of problem, as `/problems/too-large`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What a person can do about it, in a sentence.
    pub detail: String,
    /// The invalid field, as it is named in the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Problem {
    /// Whether the same request may succeed later: too many requests, a timeout, or a server error.
    pub const fn is_temporary(&self) -> bool {
        self.status == 408 || self.status == 429 || self.status >= 500
    }
}
