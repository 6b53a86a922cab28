//! The calls of the HTTP API that the browser makes for a conversation.

use futures::future::{Either, join, select};
use gloo_net::http::{Request, RequestBuilder};
use gloo_timers::future::TimeoutFuture;
use send_wrapper::SendWrapper;
use serde::de::DeserializeOwned;
use std::pin::pin;
use web_sys::AbortController;

use super::failure::ApiFailure;
use crate::model::{Message, MessagePage, NewMessage, Seq, ShortId, UploadId, UploadPage};
use crate::source::PageError;

/// An answer that takes longer is given up.
const TIMEOUT_MILLIS: u32 = 20_000;
/// How many messages one fetch brings: as many as the server allows, and one screen of older ones.
const AFTER_LIMIT: usize = 200;
const BEFORE_LIMIT: usize = 50;

/// The upload and its newest messages, for a page that is opened without a reload.
///
/// # Errors
/// When there is no such upload, or the server does not tell.
pub async fn fetch_upload_page(short_id: ShortId) -> Result<UploadPage, PageError> {
    let upload = format!("/api/uploads/{short_id}");
    let messages = format!("{upload}/messages");
    // Leptos' resources want futures that can change threads; a browser has but one.
    SendWrapper::new(async move {
        let (upload, page) = join(call(Request::get(&upload)), call(Request::get(&messages))).await;
        Ok(UploadPage {
            upload: upload.map_err(page_error)?,
            page: page.map_err(page_error)?,
        })
    })
    .await
}

fn page_error(failure: ApiFailure) -> PageError {
    match failure {
        ApiFailure::Refused(problem) if problem.status == 404 => PageError::NotFound,
        ApiFailure::Unexplained(404) => PageError::NotFound,
        _ => PageError::Unavailable,
    }
}

/// The messages after that number.
pub(super) async fn messages_after(upload: UploadId, seq: Seq) -> Result<MessagePage, ApiFailure> {
    let url = format!("/api/uploads/{upload}/messages?after={seq}&limit={AFTER_LIMIT}");
    call(Request::get(&url)).await
}

/// The messages just before that number.
pub(super) async fn messages_before(upload: UploadId, seq: Seq) -> Result<MessagePage, ApiFailure> {
    let url = format!("/api/uploads/{upload}/messages?before={seq}&limit={BEFORE_LIMIT}");
    call(Request::get(&url)).await
}

/// Posts a message.
pub(super) async fn post(upload: UploadId, message: NewMessage) -> Result<Message, ApiFailure> {
    let body = serde_json::to_string(&message).map_err(|_| ApiFailure::Unreachable)?;
    let url = format!("/api/uploads/{upload}/messages");
    let request = Request::post(&url).header("Content-Type", "application/json");
    exchange(request, Some(body)).await
}

async fn call<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ApiFailure> {
    exchange(request, None).await
}

async fn exchange<T: DeserializeOwned>(
    request: RequestBuilder,
    body: Option<String>,
) -> Result<T, ApiFailure> {
    let (status, body) = in_time(request, body).await?;
    ApiFailure::read(status, &body)
}

async fn in_time(
    request: RequestBuilder,
    body: Option<String>,
) -> Result<(u16, String), ApiFailure> {
    let controller = AbortController::new().map_err(|_| ApiFailure::Unreachable)?;
    let request = request
        .header("Accept", "application/json")
        .abort_signal(Some(&controller.signal()));
    let answer = pin!(answer(request, body));
    match select(answer, TimeoutFuture::new(TIMEOUT_MILLIS)).await {
        Either::Left((answer, _)) => answer.map_err(|_| ApiFailure::Unreachable),
        Either::Right(_) => {
            controller.abort();
            Err(ApiFailure::TimedOut)
        }
    }
}

async fn answer(
    request: RequestBuilder,
    body: Option<String>,
) -> Result<(u16, String), gloo_net::Error> {
    let response = match body {
        Some(body) => request.body(body)?.send().await?,
        None => request.send().await?,
    };
    Ok((response.status(), response.text().await?))
}
