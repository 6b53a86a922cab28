//! Posting a message from the page without scripts, where the composer is a plain form.

use std::sync::Arc;

use app::model::NewMessage;
use axum::extract::{Request, State};
use axum::response::Redirect;
use mime::Mime;
use serde::Deserialize;

use super::messages::read_post;
use crate::admission::rate_limit::RateLimits;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::author::Author;
use crate::http::extract::origin::SameOrigin;
use crate::http::extract::request_info::RequestInfo;
use crate::http::extract::upload_path::UploadPath;
use crate::hub::posting::Poster;
use crate::ids;
use crate::store::Store;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    #[serde(default)]
    author_name: String,
    #[serde(default)]
    content: String,
    /// Makes a form that is sent twice one message. May be empty or missing.
    #[serde(default, rename = "clientMessageID")]
    client_message_id: String,
}

/// `POST /u/{id}/messages` (`application/x-www-form-urlencoded`): posts the message and redirects to the page.
pub async fn create(
    (_, Author(secret)): (SameOrigin, Author),
    State(rate_limits): State<Arc<RateLimits>>,
    State(store): State<Arc<dyn Store>>,
    State(poster): State<Poster>,
    info: RequestInfo,
    UploadPath(id): UploadPath,
    request: Request,
) -> Result<Redirect, ApiError> {
    rate_limits.messages.take(info.client.counted())?;
    let expected = "This form is sent as application/x-www-form-urlencoded.";
    let mut message = parse(&read_post(request, is_form, expected).await?)?;
    let deadline = Deadline::start();
    let upload = deadline.wait("store", store.upload(id)).await?;
    message.author = secret.map(|secret| secret.tag(upload.id));
    deadline
        .wait("store", poster.post(upload.id, message))
        .await?;
    Ok(Redirect::to(&format!("/u/{}", upload.short_id)))
}

fn is_form(given: &Mime) -> bool {
    given.essence_str() == mime::APPLICATION_WWW_FORM_URLENCODED.essence_str()
}

fn parse(body: &[u8]) -> Result<NewMessage, ApiError> {
    let form: Form = serde_urlencoded::from_bytes(body)
        .map_err(|_| ApiError::malformed("This form is broken."))?;
    let author_name = form.author_name.parse();
    let content = form.content.parse();
    let client_message_id = match form.client_message_id.as_str() {
        "" => Ok(ids::client_message_id()),
        given => given.parse(),
    };
    Ok(NewMessage {
        author_name: author_name.map_err(|error| ApiError::field("authorName", error))?,
        content: content.map_err(|error| ApiError::field("content", error))?,
        client_message_id: client_message_id
            .map_err(|error| ApiError::field("clientMessageID", error))?,
        at: None,
        author: None,
    })
}
