//! Detects stalled uploads: a put may take as long as it needs while its bytes are being sent.

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

/// How long no byte may be sent and no answer come. The system buffers some of the bytes, so that on a slow line the
/// end of them seems to stall for a while.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Counts the progress of a put.
#[derive(Clone)]
pub(super) struct Progress {
    done: Arc<AtomicU64>,
    stall_timeout: Duration,
}

impl Progress {
    /// A put without progress for `stall_timeout`, or at most twice that time, fails.
    pub fn new(stall_timeout: Duration) -> Self {
        Self {
            done: Arc::default(),
            stall_timeout,
        }
    }

    pub fn add(&self, amount: u64) {
        self.done.fetch_add(amount, Ordering::Relaxed);
    }

    /// Returns the same bytes, which are counted as they are read.
    pub fn count(&self, bytes: ByteStream) -> ByteStream {
        let progress = self.clone();
        let counted = bytes.into_inner().map_preserve_contents(move |inner| {
            let progress = progress.clone();
            SdkBody::from_body_1_x(Counted { inner, progress })
        });
        ByteStream::new(counted)
    }

    /// Runs the work until it is done or stalls.
    pub async fn watch<T>(
        &self,
        work: impl Future<Output = Result<T, BlobError>>,
    ) -> Result<T, BlobError> {
        let mut work = pin!(work);
        loop {
            let before = self.done.load(Ordering::Relaxed);
            if let Ok(done) = timeout(self.stall_timeout, &mut work).await {
                return done;
            }
            if self.done.load(Ordering::Relaxed) == before {
                warn!("an upload to the S3 server has stalled");
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
            self.progress.add(bytes.len() as u64);
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

    const STALL_TIMEOUT: Duration = Duration::from_millis(400);

    #[tokio::test]
    async fn work_with_progress_may_take_long() {
        let progress = Progress::new(STALL_TIMEOUT);
        let work = async {
            for _ in 0..12 {
                sleep(STALL_TIMEOUT / 4).await;
                progress.add(1);
            }
            Ok("done")
        };
        assert_eq!(progress.watch(work).await, Ok("done"));
    }

    #[tokio::test]
    async fn stalled_work_fails() {
        let progress = Progress::new(STALL_TIMEOUT);
        let work = async {
            progress.add(1);
            std::future::pending::<Result<(), BlobError>>().await
        };
        let result = timeout(STALL_TIMEOUT * 4, progress.watch(work)).await;
        assert_eq!(result, Ok(Err(BlobError::Unavailable)));
    }

    #[tokio::test]
    async fn bytes_are_counted_as_they_are_read_also_when_they_are_read_again() {
        let progress = Progress::new(STALL_TIMEOUT);
        let bytes = progress.count(ByteStream::from_static(b"bytes"));
        let body = bytes.into_inner();
        let again = body.try_clone().unwrap();
        for (body, done) in [(body, 5), (again, 10)] {
            let read = ByteStream::new(body).collect().await.unwrap();
            assert_eq!(read.to_vec(), b"bytes");
            assert_eq!(progress.done.load(Ordering::Relaxed), done);
        }
    }
}
