//! Posting from the page without scripts: its composer is a plain form.

use app::model::NewMessage;
use axum::body::Body;
use axum::extract::State;
use axum::response::Redirect;
use http::HeaderMap;
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
    if content_type(&headers).is_none_or(|given| given != mime::APPLICATION_WWW_FORM_URLENCODED) {
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

fn parse(body: &[u8]) -> Result<NewMessage, ApiError> {
    let form: Form = serde_urlencoded::from_bytes(body)
        .map_err(|_| ApiError::malformed("This form is broken."))?;
    let author_name = form.author_name.parse();
    let content = form.content.parse();
    Ok(NewMessage {
        author_name: author_name.map_err(|error| ApiError::field("authorName", error))?,
        content: content.map_err(|error| ApiError::field("content", error))?,
        client_message_id: ids::client_message_id(),
    })
}
