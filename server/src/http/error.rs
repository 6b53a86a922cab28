//! The errors that requests are answered with.
//!
//! [`ApiError`] has one variant per row of the protocol's table of wrong input. The backends' errors are converted to
//! it by `From`; internal texts appear in the log only.

mod problem_type;
mod words;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use app::model::{IdError, TextError};
use app::problem::{PROBLEM_JSON, Problem};
use app::texts::Language;
use axum::response::{IntoResponse, Response};
use headers::{Connection, HeaderMapExt, Upgrade};
use http::{HeaderValue, StatusCode, header};
use thiserror::Error;

pub use self::problem_type::ProblemType;
use crate::admission::response_budget::BudgetExceeded;
use crate::admission::slots::NoSlot;
use crate::admission::storage_quota::StorageFull;
use crate::admission::token_buckets::RateLimited;
use crate::blob::BlobError;
use crate::hub::deleting::DeleteError;
use crate::hub::posting::PostError;
use crate::image::ImageError;
use crate::store::StoreError;
use crate::websocket;

/// When the client should try again after a backend was unavailable.
pub const RETRY_AFTER: Duration = Duration::from_secs(3);

/// An error answer. The text is for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApiError {
    /// 400: the request is not well-formed.
    Malformed(Cow<'static, str>),
    /// 401: the secret of an author is malformed.
    Unauthorized,
    /// 401: the token is not `TONESA_ADMIN_TOKEN`.
    NotAdmin,
    /// 403: a page of another site made the request.
    ForeignOrigin,
    /// 403: the secret is not the owner's.
    NotOwner,
    /// 403: this image was deleted by whoever runs the service, and is refused since.
    ImageBlocked,
    /// 403: whoever runs the service takes nothing from this address for a while.
    AddressBlocked,
    /// 404: there is no such thing, or the id is invalid.
    NotFound,
    /// 404: the upload exists, and has no such message, or has lost its image.
    NotInUpload,
    /// 410: the upload was deleted or has expired.
    Gone,
    /// 405; the router adds `Allow`.
    MethodNotAllowed,
    /// 408: the body stopped arriving.
    TooSlow,
    /// 412: `If-Match` names none of the current entity tags.
    PreconditionFailed,
    /// 413: the file is over `limit` bytes.
    FileTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// 413: another body than a file is too large.
    BodyTooLarge,
    /// 400: an upload without an image.
    NoImage,
    /// 400: an upload of more than one image.
    SeveralImages,
    /// 415: a media type that is not accepted there.
    UnsupportedType(Cow<'static, str>),
    /// 416: a range after the end; the handler adds `Content-Range`.
    RangeNotSatisfiable,
    /// 422: an image that is damaged or exceeds the limits; 415: a file that is no image.
    BadImage(ImageError),
    /// 422: a field that is out of bounds.
    BadField {
        /// The field, as it is named in the request.
        field: &'static str,
        /// What is allowed.
        detail: FieldError,
    },
    /// 426: a WebSocket of another version than 13.
    UnsupportedWebSocketVersion,
    /// 429: too many requests from one address.
    TooManyRequests {
        /// When the next one will be accepted.
        retry_after: Duration,
    },
    /// 500: a bug of the node.
    Internal,
    /// 501: a format that this address does not answer in.
    NotImplemented,
    /// 503: a backend is unavailable.
    Unavailable,
    /// 507: the quota or the disk leaves too little storage for the file.
    StorageFull,
    /// 503: the answers being sent use up all the memory allowed for them. The connection is closed, since its next
    /// requests would be refused too.
    Overloaded,
}

impl ApiError {
    /// Makes a 400, with what is wrong with the request.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed(detail.into())
    }

    /// Makes a 422, with the field and what is allowed.
    pub fn field(field: &'static str, detail: impl Into<FieldError>) -> Self {
        let detail = detail.into();
        Self::BadField { field, detail }
    }

    /// Returns the problem document's JSON.
    pub fn to_json(&self, language: Language) -> Vec<u8> {
        serde_json::to_vec(&self.to_problem(language)).unwrap_or_default()
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.problem_type().status()
    }

    /// Returns the error as a problem document. The language changes only `title` and `detail`.
    pub fn to_problem(&self, language: Language) -> Problem {
        let problem_type = self.problem_type();
        Problem {
            kind: problem_type.uri().to_owned(),
            title: self.title(language).to_owned(),
            status: problem_type.status().as_u16(),
            detail: self.detail(language).0,
            field: match self {
                Self::BadField { field, .. } => Some((*field).to_owned()),
                _ => None,
            },
        }
    }

    /// Returns the language of `detail` in the document: English where only programs meet the error.
    pub fn detail_language(&self, language: Language) -> Language {
        self.detail(language).1
    }

    fn problem_type(&self) -> ProblemType {
        match self {
            Self::Malformed(_) | Self::NoImage | Self::SeveralImages => ProblemType::Malformed,
            Self::Unauthorized | Self::NotAdmin => ProblemType::Unauthorized,
            Self::ForeignOrigin => ProblemType::ForeignOrigin,
            Self::NotOwner => ProblemType::NotOwner,
            Self::ImageBlocked => ProblemType::Blocked,
            Self::AddressBlocked => ProblemType::AddressBlocked,
            Self::NotFound | Self::NotInUpload => ProblemType::NotFound,
            Self::Gone => ProblemType::Gone,
            Self::MethodNotAllowed => ProblemType::MethodNotAllowed,
            Self::TooSlow => ProblemType::TooSlow,
            Self::PreconditionFailed => ProblemType::PreconditionFailed,
            Self::FileTooLarge { .. } | Self::BodyTooLarge => ProblemType::TooLarge,
            Self::UnsupportedType(_) | Self::BadImage(ImageError::UnknownType) => {
                ProblemType::UnsupportedType
            }
            Self::RangeNotSatisfiable => ProblemType::RangeNotSatisfiable,
            Self::BadImage(_) => ProblemType::BadImage,
            Self::BadField { .. } => ProblemType::BadField,
            Self::UnsupportedWebSocketVersion => ProblemType::OtherVersion,
            Self::TooManyRequests { .. } => ProblemType::TooManyRequests,
            Self::Internal => ProblemType::Internal,
            Self::NotImplemented => ProblemType::NotImplemented,
            Self::StorageFull => ProblemType::InsufficientStorage,
            Self::Unavailable | Self::Overloaded => ProblemType::Unavailable,
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

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail(Language::En).0)
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldError {
    /// What a person has written.
    Text(TextError),
    /// What only a program gets wrong, in English.
    Other(Cow<'static, str>),
}

impl From<TextError> for FieldError {
    fn from(error: TextError) -> Self {
        Self::Text(error)
    }
}

impl From<IdError> for FieldError {
    fn from(error: IdError) -> Self {
        Self::Other(error.to_string().into())
    }
}

impl From<&'static str> for FieldError {
    fn from(error: &'static str) -> Self {
        Self::Other(error.into())
    }
}

impl From<String> for FieldError {
    fn from(error: String) -> Self {
        Self::Other(error.into())
    }
}

impl IntoResponse for ApiError {
    /// Makes the response with the problem document in English, and attaches the error as an extension for middleware
    /// that shows it differently.
    fn into_response(self) -> Response {
        let body = self.to_json(Language::En);
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
        if let Self::Overloaded = &self {
            response.headers_mut().typed_insert(Connection::close());
        }
        if let Self::Unauthorized | Self::NotAdmin = &self {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Self::UnsupportedWebSocketVersion = &self {
            let headers = response.headers_mut();
            let version = HeaderValue::from_static(websocket::VERSION);
            headers.insert(header::SEC_WEBSOCKET_VERSION, version);
            headers.typed_insert(Upgrade::websocket());
            headers.typed_insert(Connection::upgrade());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Gone => Self::Gone,
            StoreError::Forbidden => Self::NotOwner,
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

impl From<StorageFull> for ApiError {
    fn from(_: StorageFull) -> Self {
        Self::StorageFull
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
            BlobError::NotFound => Self::NotInUpload,
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

impl From<DeleteError> for ApiError {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Store(error) => error.into(),
            DeleteError::Busy => Self::Unavailable,
        }
    }
}

impl From<ImageError> for ApiError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Unavailable | ImageError::Busy => Self::Unavailable,
            _ => Self::BadImage(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        for (wait, header) in [(1, "1"), (999, "1"), (1_001, "2"), (0, "1")] {
            let retry_after = Duration::from_millis(wait);
            let response = ApiError::TooManyRequests { retry_after }.into_response();
            assert_eq!(response.headers()[header::RETRY_AFTER], header);
        }
    }
}
