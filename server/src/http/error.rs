//! The errors that requests are answered with.
//!
//! [`ApiError`] has one variant per row of the protocol's table of wrong input. The backends' errors are converted to
//! it by `From`; internal texts appear in the log only.

use std::borrow::Cow;
use std::time::Duration;

use app::problem::{PROBLEM_JSON, Problem};
use axum::response::{IntoResponse, Response};
use headers::{Connection, HeaderMapExt, Upgrade};
use http::{HeaderValue, StatusCode, header};
use thiserror::Error;

use crate::admission::response_budget::BudgetExceeded;
use crate::admission::slots::NoSlot;
use crate::admission::token_buckets::RateLimited;
use crate::blob::BlobError;
use crate::hub::posting::PostError;
use crate::image::ImageError;
use crate::store::StoreError;
use crate::websocket;

/// When the client should try again after a backend was unavailable.
pub const RETRY_AFTER: Duration = Duration::from_secs(3);

const UNAVAILABLE: &str = "Tonesa cannot do that right now. Please try again in a moment.";

/// An error answer. The text is for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApiError {
    /// 400: the request is not well-formed.
    #[error("{0}")]
    Malformed(Cow<'static, str>),
    /// 401: the secret of an author is malformed.
    #[error(
        "The header Authorization, if there is one, is Bearer with a secret of 22 to 86 letters, digits, '-' or '_'."
    )]
    Unauthorized,
    /// 403: a page of another site made the request.
    #[error("This request was made by a page of another site.")]
    ForeignOrigin,
    /// 404: there is no such thing, or the id is invalid.
    #[error("There is nothing here. The link may be incomplete, or what it led to is gone.")]
    NotFound,
    /// 405; the router adds `Allow`.
    #[error("That method does not work here.")]
    MethodNotAllowed,
    /// 408: the body stopped arriving.
    #[error("The request did not arrive in time. Please try again.")]
    TooSlow,
    /// 412: `If-Match` names none of the current entity tags.
    #[error("This is not the version that was asked for.")]
    PreconditionFailed,
    /// 413: the file is over `limit` bytes.
    #[error("This file is too large: at most {} can be shared.", format_bytes(*.limit))]
    FileTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// 413: another body than a file is too large.
    #[error("This request is too large.")]
    BodyTooLarge,
    /// 415: a media type that is not accepted there.
    #[error("{0}")]
    UnsupportedType(Cow<'static, str>),
    /// 416: a range after the end; the handler adds `Content-Range`.
    #[error("This part is beyond the end of the file.")]
    RangeNotSatisfiable,
    /// 422: an image that is damaged or exceeds the limits.
    #[error("{0}")]
    BadImage(String),
    /// 422: a field that is out of bounds.
    #[error("{detail}")]
    BadField {
        /// The field, as it is named in the request.
        field: &'static str,
        /// What is allowed.
        detail: String,
    },
    /// 426: a WebSocket of another version than 13.
    #[error("This address takes WebSockets of version 13 only.")]
    UnsupportedWebSocketVersion,
    /// 429: too many requests from one address.
    #[error("That was a bit much. Please wait a moment and try again.")]
    TooManyRequests {
        /// When the next one will be accepted.
        retry_after: Duration,
    },
    /// 500: a bug of the node.
    #[error("Something went wrong here. Please try again later.")]
    Internal,
    /// 503: a backend is unavailable.
    #[error("{}", UNAVAILABLE)]
    Unavailable,
    /// 503: the answers being sent use up all the memory allowed for them. The connection is closed, since its next
    /// requests would be refused too.
    #[error("{}", UNAVAILABLE)]
    Overloaded,
}

impl ApiError {
    /// Makes a 400, with what is wrong with the request.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed(detail.into())
    }

    /// Makes a 422, with the field and what is allowed.
    pub fn field(field: &'static str, detail: impl ToString) -> Self {
        let detail = detail.to_string();
        Self::BadField { field, detail }
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.kind().0
    }

    /// Returns the error as a problem document.
    pub fn to_problem(&self) -> Problem {
        let (status, kind, title) = self.kind();
        Problem {
            kind: format!("/problems/{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.to_string(),
            field: match self {
                Self::BadField { field, .. } => Some((*field).to_owned()),
                _ => None,
            },
        }
    }

    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed", "Malformed request"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized"),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "foreign-origin", "Foreign origin"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method not allowed",
            ),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "Too slow"),
            Self::PreconditionFailed => (
                StatusCode::PRECONDITION_FAILED,
                "precondition-failed",
                "Precondition failed",
            ),
            Self::FileTooLarge { .. } | Self::BodyTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large")
            }
            Self::UnsupportedType(_) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-type",
                "Unsupported type",
            ),
            Self::RangeNotSatisfiable => (
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range-not-satisfiable",
                "Range not satisfiable",
            ),
            Self::BadImage(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "bad-image",
                "Image not accepted",
            ),
            Self::BadField { .. } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "bad-field",
                "Field out of bounds",
            ),
            Self::UnsupportedWebSocketVersion => (
                StatusCode::UPGRADE_REQUIRED,
                "other-version",
                "Other version required",
            ),
            Self::TooManyRequests { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many requests",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong",
            ),
            Self::Unavailable | Self::Overloaded => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not available right now",
            ),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { retry_after } => Some(*retry_after),
            Self::Unavailable | Self::Overloaded => Some(RETRY_AFTER),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    /// Makes the response with the problem document, and attaches the [`Problem`] as an extension for middleware that
    /// shows it differently.
    fn into_response(self) -> Response {
        let problem = self.to_problem();
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let content_type = HeaderValue::from_static(PROBLEM_JSON);
        let no_store = HeaderValue::from_static("no-store");
        let headers = [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, no_store),
        ];
        let mut response = (self.status(), headers, body).into_response();
        if let Some(wait) = self.retry_after() {
            // Rounded up to whole seconds: a retry that is too early would be refused again.
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        if let Self::Overloaded = self {
            response.headers_mut().typed_insert(Connection::close());
        }
        if let Self::Unauthorized = self {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Self::UnsupportedWebSocketVersion = self {
            let headers = response.headers_mut();
            let version = HeaderValue::from_static(websocket::VERSION);
            headers.insert(header::SEC_WEBSOCKET_VERSION, version);
            headers.typed_insert(Upgrade::websocket());
            headers.typed_insert(Connection::upgrade());
        }
        response.extensions_mut().insert(problem);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::AlreadyExists | StoreError::Unavailable | StoreError::Moved => {
                Self::Unavailable
            }
        }
    }
}

impl From<RateLimited> for ApiError {
    fn from(RateLimited { retry_after }: RateLimited) -> Self {
        Self::TooManyRequests { retry_after }
    }
}

impl From<BudgetExceeded> for ApiError {
    fn from(_: BudgetExceeded) -> Self {
        Self::Overloaded
    }
}

impl From<NoSlot> for ApiError {
    fn from(none: NoSlot) -> Self {
        match none {
            NoSlot::Node => Self::Unavailable,
            NoSlot::Address => Self::TooManyRequests {
                retry_after: RETRY_AFTER,
            },
        }
    }
}

impl From<BlobError> for ApiError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::NotFound => Self::NotFound,
            BlobError::AlreadyExists | BlobError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<PostError> for ApiError {
    fn from(error: PostError) -> Self {
        match error {
            PostError::Store(error) => error.into(),
            PostError::Busy => Self::Unavailable,
        }
    }
}

impl From<ImageError> for ApiError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::UnknownType => Self::UnsupportedType(error.to_string().into()),
            ImageError::Damaged(_) | ImageError::TooLarge(_) => Self::BadImage(error.to_string()),
            ImageError::Unavailable => Self::Unavailable,
        }
    }
}

/// Formats a limit for people: `20 MB`, `64 kB`, `300 bytes`, with the units that the app shows: 1,024 bytes in a kB.
fn format_bytes(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = KIB * KIB;
    match bytes {
        MIB.. if bytes.is_multiple_of(MIB) => format!("{} MB", bytes / MIB),
        KIB.. if bytes.is_multiple_of(KIB) => format!("{} kB", bytes / KIB),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_limits_are_formatted_in_large_units() {
        assert_eq!(format_bytes(20 * 1024 * 1024), "20 MB");
        assert_eq!(format_bytes(64 * 1024), "64 kB");
        assert_eq!(format_bytes(1_500_000), "1500000 bytes");
    }

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        for (wait, header) in [(1, "1"), (999, "1"), (1_001, "2"), (0, "1")] {
            let retry_after = Duration::from_millis(wait);
            let response = ApiError::TooManyRequests { retry_after }.into_response();
            assert_eq!(response.headers()[header::RETRY_AFTER], header);
        }
    }
}
