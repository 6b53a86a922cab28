//! Posting a message from the page without scripts, where the composer is a plain form.

use std::sync::Arc;

use app::MessageForm;
use app::model::{NewMessage, UploadRef};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use mime::Mime;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::messages::read_post;
use crate::admission::rate_limit::RateLimits;
use crate::http::accept::prefers_html;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::author::Author;
use crate::http::extract::origin::SameOrigin;
use crate::http::extract::request_info::RequestInfo;
use crate::http::extract::upload_path::UploadPath;
use crate::hub::posting::Poster;
use crate::ids;
use crate::store::{SecretHash, Store};

/// The longest texts that a refused form comes back with, in bytes. A message has at most 2,000 characters.
const MAX_RETURNED_BYTES: usize = 12 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    #[serde(default)]
    author_name: String,
    #[serde(default)]
    content: String,
    /// Makes a form that is sent twice one message. May be empty or missing.
    #[serde(default, rename = "clientMessageID")]
    client_message_id: String,
}

/// `POST /u/{id}/messages` (`application/x-www-form-urlencoded`): posts the message and redirects to the page. For
/// a browser, a refusal keeps what was written.
pub(super) async fn create(
    (_, Author(secret)): (SameOrigin, Author),
    State(rate_limits): State<Arc<RateLimits>>,
    State(store): State<Arc<dyn Store>>,
    State(poster): State<Poster>,
    info: RequestInfo,
    UploadPath(upload): UploadPath,
    request: Request,
) -> Result<Redirect, Response> {
    let limited = rate_limits
        .messages
        .take(info.client.rate_limit_key())
        .await;
    let limited = limited.map_err(ApiError::from);
    if !prefers_html(request.headers()) {
        limited.clone().map_err(ApiError::into_response)?;
    }
    let form = read(request, upload).await;
    let form = form.map_err(ApiError::into_response)?;
    let post = async {
        limited?;
        let mut message = validate(&form)?;
        let deadline = Deadline::start();
        let upload = deadline.wait("store", store.upload(upload)).await?;
        message.author = secret.as_ref().map(|secret| secret.tag(upload.id));
        let owner = secret.map(|secret| SecretHash::new(upload.id, &secret));
        let result = poster.post(upload.id, message, owner);
        deadline.wait("store", result).await?;
        Ok(upload.short_id)
    };
    match post.await {
        Ok(short_id) => Ok(Redirect::to(&format!("/u/{short_id}"))),
        Err(error) => Err(refused(error, form)),
    }
}

/// The error, with the form for the page that shows it, unless there is no image that it belongs to, or the page would
/// be much larger than one with the longest message: a client may take such pages slowly, and escaping makes them
/// larger.
fn refused(error: ApiError, form: MessageForm) -> Response {
    let has_image = !matches!(error, ApiError::NotFound | ApiError::Gone);
    let texts = [&form.author_name, &form.content, &form.client_message_id];
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    let mut response = error.into_response();
    if has_image && bytes <= MAX_RETURNED_BYTES {
        response.extensions_mut().insert(form);
    }
    response
}

async fn read(request: Request, upload: UploadRef) -> Result<MessageForm, ApiError> {
    let fields: Fields = read_form(request).await?;
    let mut client_message_id = fields.client_message_id;
    if client_message_id.is_empty() {
        client_message_id = ids::client_message_id().to_string();
    }
    Ok(MessageForm {
        upload,
        author_name: fields.author_name,
        content: fields.content,
        client_message_id,
    })
}

/// Reads the fields of a form (`application/x-www-form-urlencoded`).
pub(super) async fn read_form<T: DeserializeOwned>(request: Request) -> Result<T, ApiError> {
    let expected = "This form is sent as application/x-www-form-urlencoded.";
    parse_form(&read_post(request, is_form, expected).await?)
}

/// Parses the fields of a form.
///
/// # Errors
/// [`ApiError::Malformed`].
pub fn parse_form<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_urlencoded::from_bytes(body).map_err(|_| ApiError::malformed("This form is broken."))
}

fn is_form(given: &Mime) -> bool {
    given.essence_str() == mime::APPLICATION_WWW_FORM_URLENCODED.essence_str()
}

fn validate(form: &MessageForm) -> Result<NewMessage, ApiError> {
    let author_name = form.author_name.parse();
    let content = form.content.parse();
    let client_message_id = form.client_message_id.parse();
    Ok(NewMessage {
        author_name: author_name.map_err(|error| ApiError::field("authorName", error))?,
        content: content.map_err(|error| ApiError::field("content", error))?,
        client_message_id: client_message_id
            .map_err(|error| ApiError::field("clientMessageID", error))?,
        at: None,
        author: None,
    })
}
