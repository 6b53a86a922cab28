//! Reading and posting messages.

mod query;

use std::io::{self, Write};
use std::sync::Arc;

use app::model::{
    AuthorName, LogEntry, LogPage, NewMessage, NotAFraction, Point, Timestamp, UploadId, UploadRef,
};
use axum::Json;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use mime::Mime;
use serde::Deserialize;
use serde_json::{Map, Value};

use self::query::parse_query;
pub(super) use self::query::{MAX_SEQ, parse_seq};
use super::api_description::problems::{Any, OfUpload, OnWrite, OutOfBounds, WithBody};
use crate::admission::rate_limit::RateLimits;
use crate::admission::response_budget::{Reservation, ResponseBudget};
use crate::http::accept::quality;
use crate::http::body::read_small;
use crate::http::deadline::Deadline;
use crate::http::error::{ApiError, FieldError};
use crate::http::extract::author::Author;
use crate::http::extract::origin::SameOriginOrAllowed;
use crate::http::extract::request_info::RequestInfo;
use crate::http::extract::upload_path::{UploadPath, content_type};
use crate::hub::posting::Poster;
use crate::store::coalescing::CoalescedReads;
use crate::store::{Appended, SecretHash, Select, Store};

/// The largest body of a post, in bytes: the longest message takes a third of it, with every character escaped.
const MAX_POST_BYTES: usize = 64 * 1024;
/// The memory reserved for one message before its length is known, in bytes: 2,000 characters of four bytes.
const MAX_MESSAGE_BYTES: usize = 8 * 1024 + 512;
/// Smaller answers are not compressed, in bytes.
const MIN_COMPRESSED_BYTES: usize = 1024;

/// Lists of messages that are being read: concurrent equal requests share one answer.
pub type SharedMessageReads = CoalescedReads<MessagesRequest, EncodedMessages, ApiError>;

/// The parameters of a request for messages. Equal requests for an unchanged conversation get equal answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessagesRequest {
    upload: UploadId,
    select: Select,
    limit: usize,
    takes_gzip: bool,
}

/// A list of messages as it is sent. Its memory is reserved until it has been sent to everyone.
#[derive(Clone)]
pub struct EncodedMessages {
    body: Bytes,
    is_gzip: bool,
}

/// `GET /api/uploads/{id}/messages`.
#[utoipa::path(
    get,
    path = "/api/uploads/{id}/messages",
    operation_id = "listMessages",
    summary = "Read the log of a conversation",
    description = "The entries, oldest first: the newest ones, or those that a parameter selects. At most one of \
        `after`, `before` and `since` is given.",
    params(
        ("id" = UploadRef, Path, description = "The upload, by either form of its id"),
        (
            "after" = Option<u64>, Query, minimum = 0, maximum = 9_007_199_254_740_991_u64,
            description = "Only entries with a greater number"
        ),
        (
            "before" = Option<u64>, Query, minimum = 0, maximum = 9_007_199_254_740_991_u64,
            description = "The last entries before this number"
        ),
        ("since" = Option<Timestamp>, Query, description = "Only entries that were created after this time"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "How many at most; by default 50"),
    ),
    responses((status = 200, body = LogPage, description = "A part of the log"), Any, OfUpload, OutOfBounds),
)]
pub(super) async fn list(
    State(store): State<Arc<dyn Store>>,
    State(budget): State<ResponseBudget>,
    State(message_reads): State<Arc<SharedMessageReads>>,
    info: RequestInfo,
    path: UploadPath,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<EncodedMessages, ApiError> {
    let (select, limit) = parse_query(&query)?;
    let deadline = Deadline::start();
    let request = MessagesRequest {
        upload: path.id(store.as_ref(), deadline).await?,
        select,
        limit,
        takes_gzip: quality(&headers, &header::ACCEPT_ENCODING, &["gzip", "*"]) > 0,
    };
    let reserve = || {
        let reservation = budget.reserve(info.client.rate_limit_key(), limit * MAX_MESSAGE_BYTES);
        reservation.map_err(ApiError::from)
    };
    let read = async |reservation| {
        let page = store.entries(request.upload, select, limit);
        EncodedMessages::encode(&page.await?, request.takes_gzip, reservation)
    };
    let messages = message_reads.read_with(request, reserve, read);
    deadline.wait("store", messages).await
}

impl EncodedMessages {
    /// Compresses the whole at once: a streaming compressor takes more memory than most answers.
    fn encode(
        page: &LogPage,
        takes_gzip: bool,
        reservation: Reservation,
    ) -> Result<Self, ApiError> {
        let json = serde_json::to_vec(page).map_err(|_| ApiError::Internal)?;
        let is_long = json.len() > MIN_COMPRESSED_BYTES;
        let gzip = (takes_gzip && is_long).then(|| compressed(&json).ok());
        let gzip = gzip.flatten();
        let is_gzip = gzip.is_some();
        Ok(Self {
            body: reservation.hold_exactly(gzip.unwrap_or(json)),
            is_gzip,
        })
    }
}

/// Compresses fast rather than well, since the answer is sent to few.
fn compressed(json: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(json)?;
    encoder.finish()
}

impl IntoResponse for EncodedMessages {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
        let vary = HeaderValue::from_static("accept-encoding");
        headers.insert(header::VARY, vary);
        if self.is_gzip {
            let gzip = HeaderValue::from_static("gzip");
            headers.insert(header::CONTENT_ENCODING, gzip);
        }
        (headers, self.body).into_response()
    }
}

/// `POST /api/uploads/{id}/messages`.
#[utoipa::path(
    post,
    path = "/api/uploads/{id}/messages",
    operation_id = "postMessage",
    summary = "Post a message",
    description = "Repeated with the same `clientMessageID`, it returns the message that is there already.",
    params(("id" = UploadRef, Path, description = "The upload, by either form of its id")),
    request_body = NewMessage,
    responses(
        (status = 201, body = LogEntry, description = "The new message"),
        (status = 200, body = LogEntry, description = "The message that was posted before, or what is left of it"),
        Any, OfUpload, OnWrite, WithBody,
    ),
    security((), ("secret" = [])),
)]
pub(super) async fn create(
    (_, Author(secret)): (SameOriginOrAllowed, Author),
    State(rate_limits): State<Arc<RateLimits>>,
    State(store): State<Arc<dyn Store>>,
    State(poster): State<Poster>,
    info: RequestInfo,
    path: UploadPath,
    request: Request,
) -> Result<Response, ApiError> {
    let address = info.client.rate_limit_key();
    rate_limits.messages.take(address).await?;
    let expected = "A message is posted as application/json.";
    let body = read_post(request, is_json, expected).await?;
    let mut message = parse_message(&body)?;
    let deadline = Deadline::start();
    let id = path.id(store.as_ref(), deadline).await?;
    message.author = secret.as_ref().map(|secret| secret.tag(id));
    let owner = secret.map(|secret| SecretHash::new(id, &secret));
    let answered = deadline.wait("store", poster.post(id, message, owner));
    let answered = answered.await?;
    Ok(answer(answered))
}

/// Reads the body of a post. A body of another type is refused with the sentence `expected`, before it is read.
pub(super) async fn read_post(
    request: Request,
    is_accepted: fn(&Mime) -> bool,
    expected: &'static str,
) -> Result<Bytes, ApiError> {
    if !content_type(request.headers()).is_some_and(|given| is_accepted(&given)) {
        return Err(ApiError::UnsupportedType(expected.into()));
    }
    read_small(request.into_body(), MAX_POST_BYTES).await
}

fn answer(posted: Appended) -> Response {
    let (status, entry) = match posted {
        Appended::New(message) => (StatusCode::CREATED, LogEntry::Message(message)),
        Appended::Known(entry) => (StatusCode::OK, entry),
    };
    (status, Json(entry)).into_response()
}

pub(super) fn is_json(given: &Mime) -> bool {
    given.type_() == mime::APPLICATION
        && (given.subtype() == mime::JSON || given.suffix() == Some(mime::JSON))
}

/// Parses a body as a JSON object.
pub(super) fn json_object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::malformed("The body is a JSON object.")),
        Err(_) => Err(ApiError::malformed("The body is not well-formed JSON.")),
    }
}

/// Parses the body of `POST /api/uploads/{id}/messages`.
///
/// # Errors
/// [`ApiError::Malformed`] and [`ApiError::BadField`].
pub fn parse_message(body: &[u8]) -> Result<NewMessage, ApiError> {
    RawMessage::from_json(body)?.validate()
}

/// A message as the client sent it. Fields are values of any type, so that errors can name the field.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMessage {
    #[serde(default)]
    author_name: Value,
    #[serde(default)]
    content: Value,
    #[serde(default, rename = "clientMessageID")]
    client_message_id: Value,
    #[serde(default)]
    at: Value,
}

impl RawMessage {
    fn from_json(body: &[u8]) -> Result<Self, ApiError> {
        let object = Value::Object(json_object(body)?);
        serde_json::from_value(object)
            .map_err(|_| ApiError::malformed("The body is not a message."))
    }

    fn validate(self) -> Result<NewMessage, ApiError> {
        Ok(NewMessage {
            author_name: match self.author_name {
                Value::Null => AuthorName::default(),
                given => field("authorName", given)?,
            },
            content: field("content", self.content)?,
            client_message_id: field("clientMessageID", self.client_message_id)?,
            at: place(self.at)?,
            author: None,
        })
    }
}

/// Reads a text of a body.
pub(super) fn field<T: TryFrom<String, Error: Into<FieldError>>>(
    name: &'static str,
    value: Value,
) -> Result<T, ApiError> {
    match value {
        Value::String(text) => text
            .try_into()
            .map_err(|error: T::Error| ApiError::field(name, error)),
        Value::Null => Err(ApiError::field(name, "this field is missing")),
        _ => Err(ApiError::field(name, "this field is a text")),
    }
}

fn place(value: Value) -> Result<Option<Point>, ApiError> {
    match value {
        Value::Null => Ok(None),
        // An array of two numbers is a point for serde too.
        Value::Object(_) => serde_json::from_value(value)
            .map(Some)
            .map_err(|_| ApiError::field("at", NotAFraction.to_string())),
        _ => Err(ApiError::field("at", "this field is an object of x and y")),
    }
}
