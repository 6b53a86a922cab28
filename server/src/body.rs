//! Request bodies: none may stall, and none is cut off before its client has had a chance to read the answer.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt;
use http::header;
use http_body_util::LengthLimitError;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::timeout::{TimeoutBody, TimeoutError};

use crate::problem::ApiError;
use crate::state::AppState;

/// How long a body may make no progress.
const STALL: Duration = Duration::from_secs(30);
/// How long a small body may take to arrive whole.
const SMALL_BODY: Duration = Duration::from_secs(10);
/// How much of a body is read, and for how long, after its request was answered: a client that still sends when its
/// connection is closed sees a reset instead of the answer.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Watches over the bodies of all requests.
pub async fn watch_over(State(node): State<AppState>, request: Request, next: Next) -> Response {
    let may_wait = request.headers().contains_key(header::EXPECT);
    let request = request.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        let unread = Unread {
            body: body.into_data_stream(),
            sending: !may_wait,
        };
        let stalling = Drained {
            unread: Some(unread),
            tasks: node.tasks.clone(),
            stopping: node.stopping.clone(),
        };
        Body::new(TimeoutBody::new(STALL, stalling))
    });
    next.run(request).await
}

/// Reads a body of at most `limit` bytes whole.
///
/// # Errors
/// [`ApiError::BodyTooLarge`], [`ApiError::TooSlow`] or [`ApiError::Malformed`] when it breaks off.
pub async fn read_small(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    match timeout(SMALL_BODY, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if has_cause::<LengthLimitError>(&error) => Err(ApiError::BodyTooLarge),
        Ok(Err(error)) => Err(broken_off(&error)),
        Err(_) => Err(ApiError::TooSlow),
    }
}

/// Why a body could not be read to its end.
pub fn broken_off(error: &(dyn Error + 'static)) -> ApiError {
    if has_cause::<TimeoutError>(error) {
        ApiError::TooSlow
    } else {
        ApiError::malformed("The request broke off before its end.")
    }
}

fn has_cause<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<E>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// A body whose rest is read and thrown away when the handler drops it.
struct Drained {
    unread: Option<Unread>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

struct Unread {
    body: BodyDataStream,
    /// Whether the client sends: with `Expect: 100-continue` it may wait until the first bytes are asked for.
    sending: bool,
}

impl HttpBody for Drained {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        let Some(unread) = &mut self.unread else {
            return Poll::Ready(None);
        };
        unread.sending = true;
        let chunk = ready!(unread.body.poll_next_unpin(cx));
        if !matches!(chunk, Some(Ok(_))) {
            self.unread = None;
        }
        Poll::Ready(chunk.map(|chunk| chunk.map(http_body::Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.unread
            .as_ref()
            .is_none_or(|unread| HttpBody::is_end_stream(&unread.body))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.unread
            .as_ref()
            .map(|unread| HttpBody::size_hint(&unread.body))
            .unwrap_or_default()
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        if let Some(unread) = self.unread.take().filter(|unread| unread.sending) {
            let stopping = self.stopping.clone();
            self.tasks.spawn(async move {
                let drained = timeout(DRAIN_TIME, drain(unread.body));
                stopping.run_until_cancelled(drained).await
            });
        }
    }
}

async fn drain(mut body: BodyDataStream) {
    let mut left = DRAIN_BYTES;
    while let Some(Ok(chunk)) = body.next().await {
        left = left.saturating_sub(chunk.len());
        if left == 0 {
            break;
        }
    }
}
