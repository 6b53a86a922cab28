//! Everything that a request can be answered with instead of what it asked for.
//!
//! Which error to use when: [`ApiError`] has one variant per row of the protocol's table of wrong input. Backends'
//! errors become one of them by `From`; no internal text gets further than the log.

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

/// When to try again after a backend was away.
pub const RETRY_AFTER: Duration = Duration::from_secs(3);

const AWAY: &str = "Tonesa cannot do that right now. Please try again in a moment.";

/// Why a request is not answered with what it asked for. The text is for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApiError {
    /// 400: not what the protocol calls well-formed.
    #[error("{0}")]
    Malformed(Cow<'static, str>),
    /// 403: the request came from another site's page.
    #[error("This request was made by a page of another site.")]
    ForeignOrigin,
    /// 404: no such thing, or no such id.
    #[error("There is nothing here. The link may be incomplete, or what it led to is gone.")]
    NotFound,
    /// 405; the router adds `Allow`.
    #[error("That method does not work here.")]
    MethodNotAllowed,
    /// 408: the body stopped arriving.
    #[error("The request did not arrive in time. Please try again.")]
    TooSlow,
    /// 412: `If-Match` names none of the entity tags that there are.
    #[error("This is not the version that was asked for.")]
    PreconditionFailed,
    /// 413: the file is over `limit` bytes.
    #[error("This file is too large: at most {} can be shared.", bytes_for_people(*.limit))]
    FileTooLarge {
        /// Bytes that are allowed.
        limit: u64,
    },
    /// 413: a body that is no file.
    #[error("This request is too large.")]
    BodyTooLarge,
    /// 415: not a type that is taken there.
    #[error("{0}")]
    UnsupportedType(Cow<'static, str>),
    /// 416: a range behind the end; whoever answers it adds `Content-Range`.
    #[error("That part lies behind the end.")]
    RangeNotSatisfiable,
    /// 422: an image that is damaged or larger than the limits.
    #[error("{0}")]
    BadImage(String),
    /// 422: a field out of bounds.
    #[error("{detail}")]
    BadField {
        /// The field, as it is named in the request.
        field: &'static str,
        /// What is allowed.
        detail: String,
    },
    /// 426: a WebSocket of another version than 13.
    #[error("This address takes WebSockets of version 13 only.")]
    OtherVersion,
    /// 429: too many requests from one address.
    #[error("That was a bit much. Please wait a moment and try again.")]
    TooManyRequests {
        /// When the next one is allowed.
        retry_after: Duration,
    },
    /// 500: a defect of the node.
    #[error("Something went wrong here. Please try again later.")]
    Internal,
    /// 503: a backend is away.
    #[error("{}", AWAY)]
    Unavailable,
    /// 503: there is no room for another answer. The connection ends with it: what its client has asked for beyond would
    /// be refused too.
    #[error("{}", AWAY)]
    NoRoom,
}

impl ApiError {
    /// A malformed request (400), and what is wrong with it.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed(detail.into())
    }

    /// A field out of bounds (422), and what is allowed.
    pub fn field(field: &'static str, detail: impl ToString) -> Self {
        let detail = detail.to_string();
        Self::BadField { field, detail }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.kind().0
    }

    /// The error as the protocol writes it.
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
            Self::OtherVersion => (
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
            Self::Unavailable | Self::NoRoom => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not available right now",
            ),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { retry_after } => Some(*retry_after),
            Self::Unavailable | Self::NoRoom => Some(RETRY_AFTER),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    /// The problem document; the [`Problem`] itself travels along as an extension for whoever shows it differently.
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
            // Whole seconds, rounded up: an early retry would be refused again.
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        if let Self::NoRoom = self {
            response.headers_mut().typed_insert(Connection::close());
        }
        if let Self::OtherVersion = self {
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
        Self::NoRoom
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

/// A limit as people say it: `20 MiB`, `64 KiB`, `300 bytes`.
fn bytes_for_people(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = KIB * KIB;
    match bytes {
        MIB.. if bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
        KIB.. if bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_in_round_numbers_where_they_are_round() {
        assert_eq!(bytes_for_people(20 * 1024 * 1024), "20 MiB");
        assert_eq!(bytes_for_people(64 * 1024), "64 KiB");
        assert_eq!(bytes_for_people(1_500_000), "1500000 bytes");
    }

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        for (wait, header) in [(1, "1"), (999, "1"), (1_001, "2"), (0, "1")] {
            let retry_after = Duration::from_millis(wait);
            let response = ApiError::TooManyRequests { retry_after }.into_response();
            assert_eq!(response.headers()[header::RETRY_AFTER], header);
        }
    }
}
