//! The calls of the HTTP API that the browser makes for a conversation.

use gloo_net::http::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use web_sys::AbortSignal;

use super::failure::ApiFailure;
use crate::model::{Message, MessagePage, NewMessage, Seq, UploadId};

/// An answer that takes longer is given up.
const TIMEOUT_MILLIS: u32 = 20_000;
/// How many messages one fetch brings: as many as the server allows, and one screen of older ones.
const AFTER_LIMIT: usize = 200;
const BEFORE_LIMIT: usize = 50;

/// The messages after that number.
pub(super) async fn messages_after(upload: UploadId, seq: Seq) -> Result<MessagePage, ApiFailure> {
    let url = format!("/api/uploads/{upload}/messages?after={seq}&limit={AFTER_LIMIT}");
    get(&url).await
}

/// The messages just before that number.
pub(super) async fn messages_before(upload: UploadId, seq: Seq) -> Result<MessagePage, ApiFailure> {
    let url = format!("/api/uploads/{upload}/messages?before={seq}&limit={BEFORE_LIMIT}");
    get(&url).await
}

/// Posts a message.
pub(super) async fn post(upload: UploadId, message: NewMessage) -> Result<Message, ApiFailure> {
    let body = serde_json::to_string(&message).map_err(|_| ApiFailure::Unreachable)?;
    let url = format!("/api/uploads/{upload}/messages");
    exchange(&url, Some(&body)).await
}

/// What is at this address.
pub(crate) async fn get<T: DeserializeOwned>(url: &str) -> Result<T, ApiFailure> {
    exchange(url, None).await
}

async fn exchange<T: DeserializeOwned>(url: &str, body: Option<&str>) -> Result<T, ApiFailure> {
    let (status, body) = fetch(url, body).await.map_err(|error| match error {
        gloo_net::Error::JsError(error) if error.name == "TimeoutError" => ApiFailure::TimedOut,
        _ => ApiFailure::Unreachable,
    })?;
    ApiFailure::read(status, &body)
}

/// The answer's status and body. With a body to send, which is JSON, it is a `POST`.
async fn fetch(url: &str, body: Option<&str>) -> Result<(u16, String), gloo_net::Error> {
    let signal = AbortSignal::timeout_with_u32(TIMEOUT_MILLIS);
    let request = RequestBuilder::new(url)
        .header("Accept", "application/json")
        .abort_signal(Some(&signal));
    let request = match body {
        Some(body) => request
            .method(Method::POST)
            .header("Content-Type", "application/json")
            .body(body)?,
        None => request.build()?,
    };
    let response = request.send().await?;
    Ok((response.status(), response.text().await?))
}
