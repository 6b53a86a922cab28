//! A wrapper that measures the calls of a blob store.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use app::model::ShortId;
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use http::Method;
use tempfile::TempPath;

use super::metrics::BlobMetrics;
use super::{BlobEntry, BlobError, Blobs, ByteStream, Derived, PresignedUrl, ResponseHeaders};
use crate::ids::PairingId;

/// Records the duration and outcome of each call of the wrapped blob store.
pub struct MeasuredBlobs {
    blobs: Arc<dyn Blobs>,
    metrics: BlobMetrics,
}

impl MeasuredBlobs {
    /// Wraps a blob store.
    pub fn new(blobs: Arc<dyn Blobs>, metrics: BlobMetrics) -> Self {
        Self { blobs, metrics }
    }
}

#[async_trait]
impl Blobs for MeasuredBlobs {
    async fn put(&self, key: ShortId, file: TempPath) -> Result<(), BlobError> {
        let call = self.blobs.put(key, file);
        self.metrics.calls.measure("put", call).await
    }

    async fn read(&self, key: ShortId, range: Range<u64>) -> Result<ByteStream, BlobError> {
        let call = self.blobs.read(key, range);
        let bytes = self.metrics.calls.measure("read", call).await?;
        let metrics = self.metrics.clone();
        Ok(bytes.inspect_err(move |_| metrics.read_broke()).boxed())
    }

    fn read_buffer_bytes(&self) -> usize {
        self.blobs.read_buffer_bytes()
    }

    async fn delete(&self, key: ShortId) -> Result<(), BlobError> {
        let call = self.blobs.delete(key);
        self.metrics.calls.measure("delete", call).await
    }

    async fn list(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        let call = self.blobs.list(after, limit);
        self.metrics.calls.measure("list", call).await
    }

    async fn put_derived(
        &self,
        key: ShortId,
        derived: Derived,
        file: TempPath,
    ) -> Result<(), BlobError> {
        let call = self.blobs.put_derived(key, derived, file);
        self.metrics.calls.measure("put_derived", call).await
    }

    async fn read_derived(
        &self,
        key: ShortId,
        derived: Derived,
    ) -> Result<(u64, ByteStream), BlobError> {
        let call = self.blobs.read_derived(key, derived);
        let (size, bytes) = self.metrics.calls.measure("read_derived", call).await?;
        let metrics = self.metrics.clone();
        let bytes = bytes.inspect_err(move |_| metrics.read_broke()).boxed();
        Ok((size, bytes))
    }

    async fn list_derived(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        let call = self.blobs.list_derived(after, limit);
        self.metrics.calls.measure("list_derived", call).await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, BlobError> {
        let call = self.blobs.pairing();
        self.metrics.calls.measure("pairing", call).await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, BlobError> {
        let call = self.blobs.pair(id);
        self.metrics.calls.measure("pair", call).await
    }

    async fn mark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        let call = self.blobs.mark_orphan(key);
        self.metrics.calls.measure("mark_orphan", call).await
    }

    async fn unmark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        let call = self.blobs.unmark_orphan(key);
        self.metrics.calls.measure("unmark_orphan", call).await
    }

    async fn orphan_marks(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        let call = self.blobs.orphan_marks(after, limit);
        self.metrics.calls.measure("orphan_marks", call).await
    }

    async fn ping(&self) -> Result<(), BlobError> {
        self.metrics.calls.measure("ping", self.blobs.ping()).await
    }

    async fn clear_unfinished(&self, before: SystemTime) -> Result<usize, BlobError> {
        let call = self.blobs.clear_unfinished(before);
        self.metrics.calls.measure("clear_unfinished", call).await
    }

    fn redirect_origin(&self) -> Option<&str> {
        self.blobs.redirect_origin()
    }

    async fn presigned_url(
        &self,
        key: ShortId,
        method: &Method,
        headers: ResponseHeaders<'_>,
    ) -> Result<Option<PresignedUrl>, BlobError> {
        self.blobs.presigned_url(key, method, headers).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::metrics::Metrics;
    use crate::blob::conformance::{Fixture, blob_suite};
    use crate::blob::directory::DirectoryBlobs;

    // The wrapper must keep every guarantee of the blob store.
    blob_suite!(async {
        let folder = tempfile::tempdir().unwrap();
        let blobs = DirectoryBlobs::open(folder.path()).unwrap();
        let temp_dir = blobs.temp_dir().to_owned();
        let metrics = Metrics::default().blobs;
        let blobs = Arc::new(MeasuredBlobs::new(Arc::new(blobs), metrics));
        (Fixture { blobs, temp_dir }, folder)
    });
}
