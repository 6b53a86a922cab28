//! Limits on request bodies: a minimum speed and a minimum size of chunks. What a handler leaves unread is read and
//! discarded, so that the client can read the response.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
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
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a body may wait for the client in all, and how many bytes give back one second of it. Unused time is not
/// carried over: a client that was fast at first may not be slow later. Only waiting for the client counts, not the
/// time that the node takes.
const MAX_WAIT: Duration = Duration::from_secs(30);
const MIN_BYTES_PER_SECOND: u64 = 16 * 1024;
/// How many chunks may be of any size, and how many bytes all chunks beyond them must have on average: each chunk costs
/// the same, whatever it holds. A network packet usually has more than 500 bytes.
const MAX_SMALL_CHUNKS: u64 = 16_384;
const MIN_BYTES_PER_CHUNK: u64 = 64;
/// How long a small body may take to arrive completely.
const SMALL_BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of an unread body is read after the request was answered, and for how long. If the connection were closed
/// while the client still sends, it would see a reset instead of the answer.
const MAX_DISCARD_BYTES: usize = 64 * 1024 * 1024;
/// The least that a chunk counts towards [`MAX_DISCARD_BYTES`].
const MIN_DISCARD_CHUNK: usize = 256;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(10);

/// Applies these limits to the body of a request.
pub fn limit(request: Request, discarder: &Arc<Discarder>) -> Request {
    let may_wait = request.headers().contains_key(header::EXPECT);
    request.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        let unread = UnreadBody {
            body: body.into_data_stream(),
            sending: !may_wait,
        };
        let limited = LimitedBody {
            unread: Some(unread),
            limit: PaceLimit::default(),
            discarder: Arc::clone(discarder),
        };
        Body::new(TimeoutBody::new(IDLE_TIMEOUT, limited))
    })
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// [`ApiError::BodyTooLarge`]; [`ApiError::TooSlow`]; [`ApiError::Malformed`] when it is incomplete.
pub async fn read_small(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    match timeout(SMALL_BODY_TIMEOUT, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if has_cause::<LengthLimitError>(&error) => Err(ApiError::BodyTooLarge),
        Ok(Err(error)) => Err(body_error(&error)),
        Err(_) => Err(ApiError::TooSlow),
    }
}

/// Maps an error of reading a body to the answer.
pub fn body_error(error: &(dyn Error + 'static)) -> ApiError {
    if has_cause::<TimeoutError>(error) || has_cause::<SlowBody>(error) {
        ApiError::TooSlow
    } else if has_cause::<TinyChunks>(error) {
        ApiError::malformed("The request comes in too many small pieces.")
    } else {
        ApiError::malformed("The request broke off before its end.")
    }
}

/// Returns whether the error, or one of its sources, is an `E`.
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

/// The body arrives too slowly.
#[derive(Debug, Error)]
#[error("the body arrives too slowly")]
struct SlowBody;

/// The body arrives in too many small chunks.
#[derive(Debug, Error)]
#[error("the body arrives in too many small chunks")]
struct TinyChunks;

/// Measures how fast a body arrives, and in what chunks.
#[derive(Debug, Default)]
struct PaceLimit {
    bytes: u64,
    chunks: u64,
    /// The time spent waiting for the client, less what its bytes have given back.
    waited: Duration,
    /// When the current wait began, if there is one.
    waiting: Option<Instant>,
}

impl PaceLimit {
    fn wait(&mut self) {
        self.waiting.get_or_insert_with(Instant::now);
    }

    /// Records a chunk of this many bytes, and fails if the body is too slow or its chunks are too small.
    fn arrived(&mut self, bytes: usize) -> Result<(), axum::Error> {
        let waited = self.waiting.take().map(|since| since.elapsed());
        let earned = Duration::from_micros(bytes as u64 * 1_000_000 / MIN_BYTES_PER_SECOND);
        self.waited = (self.waited + waited.unwrap_or_default()).saturating_sub(earned);
        self.bytes += bytes as u64;
        if self.waited > MAX_WAIT {
            return Err(axum::Error::new(SlowBody));
        }
        self.chunks += 1;
        if self.chunks > MAX_SMALL_CHUNKS + self.bytes / MIN_BYTES_PER_CHUNK {
            return Err(axum::Error::new(TinyChunks));
        }
        Ok(())
    }
}

/// A body with these limits. What the handler leaves unread is drained.
struct LimitedBody {
    unread: Option<UnreadBody>,
    limit: PaceLimit,
    discarder: Arc<Discarder>,
}

/// Reads and discards what handlers leave unread, until the node stops.
pub struct Discarder {
    /// Tracks the tasks that do so.
    pub tasks: TaskTracker,
    /// Cancelled when the node starts to stop.
    pub stopping: CancellationToken,
}

struct UnreadBody {
    body: BodyDataStream,
    /// Whether the client is sending. With `Expect: 100-continue` it may wait until the body is first read.
    sending: bool,
}

impl HttpBody for LimitedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        let Self { unread, limit, .. } = &mut *self;
        let Some(unread) = unread else {
            return Poll::Ready(None);
        };
        unread.sending = true;
        let Poll::Ready(chunk) = unread.body.poll_next_unpin(cx) else {
            limit.wait();
            return Poll::Pending;
        };
        if let Some(Ok(bytes)) = &chunk
            && let Err(error) = limit.arrived(bytes.len())
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

impl Drop for LimitedBody {
    fn drop(&mut self) {
        if let Some(unread) = self.unread.take().filter(|unread| unread.sending) {
            let stopping = self.discarder.stopping.clone();
            self.discarder.tasks.spawn(async move {
                let discarding = timeout(DISCARD_TIMEOUT, discard(unread.body));
                stopping.run_until_cancelled(discarding).await
            });
        }
    }
}

async fn discard(mut body: BodyDataStream) {
    let mut left = MAX_DISCARD_BYTES;
    while let Some(Ok(chunk)) = body.next().await {
        left = left.saturating_sub(chunk.len().max(MIN_DISCARD_CHUNK));
        if left == 0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes the client appear to have been waited for this many seconds since the last chunk.
    fn after(mut limit: PaceLimit, seconds: u64) -> PaceLimit {
        limit.waiting = Instant::now().checked_sub(Duration::from_secs(seconds));
        limit
    }

    #[test]
    fn a_slow_body_fails_when_the_client_was_waited_for_too_long() {
        let mut limit = PaceLimit::default();
        for _ in 0..5 {
            limit = after(limit, 5);
            assert!(limit.arrived(1).is_ok());
        }
        assert!(after(limit, 6).arrived(1).is_err());
        assert!(matches!(
            body_error(&axum::Error::new(SlowBody)),
            ApiError::TooSlow
        ));
    }

    #[test]
    fn a_body_of_tiny_chunks_fails_and_one_of_packets_does_not() {
        let mut limit = PaceLimit::default();
        let failed = (0..20_000).find_map(|_| limit.arrived(1).err());
        assert!(matches!(
            body_error(&failed.expect("it fails")),
            ApiError::Malformed(_)
        ));
        assert!(limit.chunks < 17_000, "{}", limit.chunks);
        let mut limit = PaceLimit::default();
        assert!((0..1_000_000).all(|_| limit.arrived(500).is_ok()));
    }

    #[tokio::test]
    async fn reading_a_slow_body_fails() {
        let waiting = after(PaceLimit::default(), 31);
        let body = LimitedBody {
            unread: Some(UnreadBody {
                body: Body::from("a byte or two").into_data_stream(),
                sending: false,
            }),
            limit: waiting,
            discarder: Arc::new(Discarder {
                tasks: TaskTracker::new(),
                stopping: CancellationToken::new(),
            }),
        };
        let result = read_small(Body::new(body), 100).await;
        assert_eq!(result, Err(ApiError::TooSlow));
    }

    #[test]
    fn received_bytes_give_time_back_and_only_waiting_counts() {
        let mut limit = PaceLimit::default();
        for _ in 0..100 {
            limit = after(limit, 10);
            assert!(limit.arrived(200_000).is_ok());
        }
        limit.waiting = None;
        assert!(limit.arrived(1).is_ok());
    }
}
