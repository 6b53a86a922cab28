//! Posting from the page without scripts: its composer is a plain form.

use app::model::NewMessage;
use axum::body::Body;
use axum::extract::State;
use axum::response::Redirect;
use http::HeaderMap;
use mime::Mime;
use serde::Deserialize;

use super::extract::{Named, content_type};
use super::messages::MAX_POST_BYTES;
use crate::address::Arrival;
use crate::body::read_small;
use crate::deadline::Deadline;
use crate::ids;
use crate::origin::SameOrigin;
use crate::problem::ApiError;
use crate::state::AppState;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    #[serde(default)]
    author_name: String,
    #[serde(default)]
    content: String,
    /// What makes a form that is sent twice one message; empty or missing where nobody made one up.
    #[serde(default, rename = "clientMessageID")]
    client_message_id: String,
}

/// `POST /u/{id}/messages` (`application/x-www-form-urlencoded`), answered with the way back to the page.
pub async fn create(
    _: SameOrigin,
    State(node): State<AppState>,
    arrival: Arrival,
    Named(name): Named,
    headers: HeaderMap,
    body: Body,
) -> Result<Redirect, ApiError> {
    node.rate_limits.messages.take(arrival.client.counted())?;
    if !content_type(&headers).is_some_and(|given| is_form(&given)) {
        return Err(ApiError::UnsupportedType(
            "This form is sent as application/x-www-form-urlencoded.".into(),
        ));
    }
    let message = parse(&read_small(body, MAX_POST_BYTES).await?)?;
    let deadline = Deadline::start();
    let store = &node.backends.store;
    let upload = deadline.wait("store", store.upload(name)).await?;
    deadline
        .wait("store", node.poster.post(upload.id, message))
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
    })
}
