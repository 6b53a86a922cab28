//! Request bodies: none may stall or trickle, and none is cut off before its client has had a chance to read the answer.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt;
use http::header;
use http_body_util::LengthLimitError;
use thiserror::Error;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::timeout::{TimeoutBody, TimeoutError};

use crate::http::error::ApiError;

/// How long a body may make no progress.
const STALL: Duration = Duration::from_secs(30);
/// How long a body may be waited for however little of it comes, and the bytes that pay for a second of it. What is paid
/// for in advance is not kept: who was fast at first may not trickle later. Only waiting for the client counts: a node
/// that is busy is not the client's fault.
const GRACE: Duration = Duration::from_secs(30);
const BYTES_PER_SECOND: u64 = 16 * 1024;
/// Chunks of a body that may be as small as they like, and the bytes that all chunks beyond them have on average at
/// least: each costs the same, whatever it holds. A packet of the network has more than 500.
const SMALL_CHUNKS: u64 = 16_384;
const BYTES_PER_CHUNK: u64 = 64;
/// How long a small body may take to arrive whole.
const SMALL_BODY: Duration = Duration::from_secs(10);
/// How much of a body is read, and for how long, after its request was answered: a client that still sends when its
/// connection is closed sees a reset instead of the answer.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;
/// What each chunk counts as at least then.
const DRAIN_CHUNK: usize = 256;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Watches over the bodies of all requests.
pub async fn watch_over(
    State(tasks): State<TaskTracker>,
    State(stopping): State<CancellationToken>,
    request: Request,
    next: Next,
) -> Response {
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
            pace: Pace::default(),
            tasks,
            stopping,
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
    if has_cause::<TimeoutError>(error) || has_cause::<Trickle>(error) {
        ApiError::TooSlow
    } else if has_cause::<Crumbs>(error) {
        ApiError::malformed("The request comes in too many small pieces.")
    } else {
        ApiError::malformed("The request broke off before its end.")
    }
}

/// Whether the error, or one that led to it, is an `E`.
pub fn has_cause<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<E>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// A body that trickles in.
#[derive(Debug, Error)]
#[error("the body arrives too slowly")]
struct Trickle;

/// A body of too many small chunks.
#[derive(Debug, Error)]
#[error("the body arrives in too many small chunks")]
struct Crumbs;

/// How a body arrives.
#[derive(Debug, Default)]
struct Pace {
    bytes: u64,
    chunks: u64,
    /// How long the client was waited for, less what its bytes have paid for.
    waited: Duration,
    /// Since when the client is waited for.
    waiting: Option<Instant>,
}

impl Pace {
    fn wait(&mut self) {
        self.waiting.get_or_insert_with(Instant::now);
    }

    /// Whether the body is fast enough and comes in fair pieces, now that a chunk of this many bytes has arrived.
    fn arrived(&mut self, bytes: usize) -> Result<(), axum::Error> {
        let waited = self.waiting.take().map(|since| since.elapsed());
        let paid = Duration::from_micros(bytes as u64 * 1_000_000 / BYTES_PER_SECOND);
        self.waited = (self.waited + waited.unwrap_or_default()).saturating_sub(paid);
        self.bytes += bytes as u64;
        if self.waited > GRACE {
            return Err(axum::Error::new(Trickle));
        }
        self.chunks += 1;
        if self.chunks > SMALL_CHUNKS + self.bytes / BYTES_PER_CHUNK {
            return Err(axum::Error::new(Crumbs));
        }
        Ok(())
    }
}

/// A body that may not trickle, and whose rest is read and thrown away when the handler drops it.
struct Drained {
    unread: Option<Unread>,
    pace: Pace,
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
        let Self { unread, pace, .. } = &mut *self;
        let Some(unread) = unread else {
            return Poll::Ready(None);
        };
        unread.sending = true;
        let Poll::Ready(chunk) = unread.body.poll_next_unpin(cx) else {
            pace.wait();
            return Poll::Pending;
        };
        if let Some(Ok(bytes)) = &chunk
            && let Err(error) = pace.arrived(bytes.len())
        {
            return Poll::Ready(Some(Err(error)));
        }
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
        left = left.saturating_sub(chunk.len().max(DRAIN_CHUNK));
        if left == 0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pace that has waited for so many seconds since its last chunk.
    fn after(mut pace: Pace, seconds: u64) -> Pace {
        pace.waiting = Instant::now().checked_sub(Duration::from_secs(seconds));
        pace
    }

    #[test]
    fn a_body_that_trickles_is_given_up_after_the_grace() {
        let mut pace = Pace::default();
        for _ in 0..5 {
            pace = after(pace, 5);
            assert!(pace.arrived(1).is_ok());
        }
        assert!(after(pace, 6).arrived(1).is_err());
        assert!(matches!(
            broken_off(&axum::Error::new(Trickle)),
            ApiError::TooSlow
        ));
    }

    #[test]
    fn a_body_of_crumbs_is_given_up_and_one_of_packets_is_not() {
        let mut pace = Pace::default();
        let crumbs = (0..20_000).find_map(|_| pace.arrived(1).err());
        assert!(matches!(
            broken_off(&crumbs.expect("it is given up")),
            ApiError::Malformed(_)
        ));
        assert!(pace.chunks < 17_000, "{}", pace.chunks);
        let mut pace = Pace::default();
        assert!((0..1_000_000).all(|_| pace.arrived(500).is_ok()));
    }

    #[tokio::test]
    async fn who_reads_a_trickling_body_is_told() {
        let waiting = after(Pace::default(), 31);
        let body = Drained {
            unread: Some(Unread {
                body: Body::from("a byte or two").into_data_stream(),
                sending: false,
            }),
            pace: waiting,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        };
        let told = read_small(Body::new(body), 100).await;
        assert_eq!(told, Err(ApiError::TooSlow));
    }

    #[test]
    fn bytes_earn_time_and_a_busy_node_costs_none() {
        let mut pace = Pace::default();
        for _ in 0..100 {
            pace = after(pace, 10);
            assert!(pace.arrived(200_000).is_ok());
        }
        pace.waiting = None;
        assert!(pace.arrived(1).is_ok());
    }
}
