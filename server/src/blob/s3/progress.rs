//! A put may take as long as it needs while its bytes flow.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::timeout;
use tracing::warn;

use crate::blob::BlobError;

/// How long no byte may flow and no answer may come. A system keeps some of what it was given to send, so that the last
/// of it seems to stand still for a while on a slow line.
pub(super) const STALL: Duration = Duration::from_secs(10);

/// How far a put has come: a number that grows.
#[derive(Clone)]
pub(super) struct Progress {
    made: Arc<AtomicU64>,
    stall: Duration,
}

impl Progress {
    /// No progress for `stall`, or twice that time at most, ends the put.
    pub fn new(stall: Duration) -> Self {
        Self {
            made: Arc::default(),
            stall,
        }
    }

    /// Something was done.
    pub fn made(&self, amount: u64) {
        self.made.fetch_add(amount, Ordering::Relaxed);
    }

    /// The same bytes, counted as they are taken.
    pub fn count(&self, bytes: ByteStream) -> ByteStream {
        let progress = self.clone();
        let counted = bytes.into_inner().map_preserve_contents(move |inner| {
            let progress = progress.clone();
            SdkBody::from_body_1_x(Counted { inner, progress })
        });
        ByteStream::new(counted)
    }

    /// Does the work to its end, or until it gets nowhere.
    pub async fn watch<T>(
        &self,
        work: impl Future<Output = Result<T, BlobError>>,
    ) -> Result<T, BlobError> {
        let mut work = pin!(work);
        loop {
            let before = self.made.load(Ordering::Relaxed);
            if let Ok(done) = timeout(self.stall, &mut work).await {
                return done;
            }
            if self.made.load(Ordering::Relaxed) == before {
                warn!("the S3 server takes no more of an image");
                return Err(BlobError::Unavailable);
            }
        }
    }
}

struct Counted {
    inner: SdkBody,
    progress: Progress,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = <SdkBody as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(bytes) = (frame.as_ref()).and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.progress.made(bytes.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const STALL: Duration = Duration::from_millis(400);

    #[tokio::test]
    async fn work_may_take_long_while_it_gets_on() {
        let progress = Progress::new(STALL);
        let work = async {
            for _ in 0..12 {
                sleep(STALL / 4).await;
                progress.made(1);
            }
            Ok("done")
        };
        assert_eq!(progress.watch(work).await, Ok("done"));
    }

    #[tokio::test]
    async fn work_that_gets_nowhere_is_given_up() {
        let progress = Progress::new(STALL);
        let work = async {
            progress.made(1);
            std::future::pending::<Result<(), BlobError>>().await
        };
        let given_up = timeout(STALL * 4, progress.watch(work)).await;
        assert_eq!(given_up, Ok(Err(BlobError::Unavailable)));
    }

    #[tokio::test]
    async fn bytes_are_counted_as_they_are_taken_and_again_when_they_are_sent_again() {
        let progress = Progress::new(STALL);
        let bytes = progress.count(ByteStream::from_static(b"bytes"));
        let body = bytes.into_inner();
        let again = body.try_clone().unwrap();
        for (body, made) in [(body, 5), (again, 10)] {
            let read = ByteStream::new(body).collect().await.unwrap();
            assert_eq!(read.to_vec(), b"bytes");
            assert_eq!(progress.made.load(Ordering::Relaxed), made);
        }
    }
}
