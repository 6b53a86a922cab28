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

/// How long no byte may flow and no answer may come: after this time, or twice it at most, a put is given up.
pub(super) const STALL: Duration = Duration::from_secs(5);

/// How far a put has come: a number that grows.
#[derive(Clone, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Something was done.
    pub fn made(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
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
            let before = self.0.load(Ordering::Relaxed);
            if let Ok(done) = timeout(STALL, &mut work).await {
                return done;
            }
            if self.0.load(Ordering::Relaxed) == before {
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
