//! The calls of the HTTP API that the browser makes for a conversation.

use gloo_net::http::{Method, RequestBuilder};
use js_sys::Reflect;
use leptos::prelude::window;
use serde::de::{DeserializeOwned, IgnoredAny};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response};

use super::backfill::MAX_BACKFILL;
use super::failure::ApiFailure;
use crate::browser::storage;
use crate::model::{LogEntry, LogPage, MessageId, NewMessage, Seq, UploadId};

/// A call that takes longer has failed.
const TIMEOUT_MILLIS: u32 = 20_000;
/// How many older messages one call brings.
const MAX_OLDER: usize = 50;

/// The messages that a query selects: `?after=…`, `?before=…`, or the newest when it is empty.
pub(super) async fn messages(upload: UploadId, query: &str) -> Result<LogPage, ApiFailure> {
    get(&format!("/api/uploads/{upload}/messages{query}")).await
}

/// Selects the messages from this number on, at most [`MAX_BACKFILL`] after it.
pub(super) fn from(seq: Seq) -> String {
    let before = seq.get().saturating_sub(1);
    let limit = MAX_BACKFILL + 1;
    format!("?after={before}&limit={limit}")
}

/// Selects the messages up to this number, at most [`MAX_OLDER`] before it.
pub(super) fn up_to(seq: Seq) -> String {
    let before = seq.next();
    let limit = MAX_OLDER + 1;
    format!("?before={before}&limit={limit}")
}

/// Posts a message, and returns its entry of the log: another one if its id is known already.
pub(super) async fn post(upload: UploadId, message: NewMessage) -> Result<LogEntry, ApiFailure> {
    let body = serde_json::to_string(&message).map_err(|_| ApiFailure::Unreachable)?;
    let url = format!("/api/uploads/{upload}/messages");
    exchange(&url, Some(&body)).await
}

/// Deletes a message that this browser has written, or about an upload that it owns.
pub(super) async fn delete_message(
    upload: UploadId,
    seq: Seq,
    id: MessageId,
) -> Result<(), ApiFailure> {
    delete(&format!("/api/uploads/{upload}/messages/{seq}?id={id}")).await
}

/// Deletes what is at this address, by this browser's secret.
pub(crate) async fn delete(url: &str) -> Result<(), ApiFailure> {
    let (status, retry_after, body) = fetch_kept_alive(Method::DELETE, url)
        .await
        .map_err(|_| ApiFailure::Unreachable)?;
    match status {
        200..300 => Ok(()),
        _ => ApiFailure::read::<IgnoredAny>(status, retry_after, &body).map(drop),
    }
}

/// Fetches what is at this address.
pub(crate) async fn get<T: DeserializeOwned>(url: &str) -> Result<T, ApiFailure> {
    exchange(url, None).await
}

async fn exchange<T: DeserializeOwned>(url: &str, body: Option<&str>) -> Result<T, ApiFailure> {
    let (status, retry_after, body) = fetch(url, body).await.map_err(|error| match error {
        gloo_net::Error::JsError(error) if error.name == "TimeoutError" => ApiFailure::TimedOut,
        _ => ApiFailure::Unreachable,
    })?;
    ApiFailure::read(status, retry_after, &body)
}

/// The same as [`fetch`], but it is sent also when the page is left at once (`keepalive`, which gloo has not).
async fn fetch_kept_alive(
    method: Method,
    url: &str,
) -> Result<(u16, Option<u32>, String), JsValue> {
    let init = RequestInit::new();
    let headers = Headers::new()?;
    headers.set("Accept", "application/json")?;
    headers.set("Authorization", &storage::author_bearer())?;
    init.set_method(method.as_ref());
    init.set_headers(&headers);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MILLIS)));
    Reflect::set(&init, &"keepalive".into(), &true.into())?;
    let answer = JsFuture::from(window().fetch_with_str_and_init(url, &init)).await?;
    let answer: Response = answer.dyn_into()?;
    let retry_after = answer.headers().get("Retry-After")?;
    let retry_after = retry_after.and_then(|seconds| seconds.parse().ok());
    let body = JsFuture::from(answer.text()?).await?;
    Ok((
        answer.status(),
        retry_after,
        body.as_string().unwrap_or_default(),
    ))
}

/// The answer's status, `Retry-After` and body. With a body to send, which is JSON, it is a `POST`.
async fn fetch(
    url: &str,
    body: Option<&str>,
) -> Result<(u16, Option<u32>, String), gloo_net::Error> {
    let signal = AbortSignal::timeout_with_u32(TIMEOUT_MILLIS);
    let request = RequestBuilder::new(url)
        .header("Accept", "application/json")
        .abort_signal(Some(&signal));
    let request = match body {
        Some(body) => request
            .method(Method::POST)
            .header("Content-Type", "application/json")
            .header("Authorization", &storage::author_bearer())
            .body(body)?,
        None => request.build()?,
    };
    let response = request.send().await?;
    let retry_after = response.headers().get("Retry-After");
    let retry_after = retry_after.and_then(|seconds| seconds.parse().ok());
    Ok((response.status(), retry_after, response.text().await?))
}
