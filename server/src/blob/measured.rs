//! A blob store around another one that tells how long its calls take and how they end.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use app::model::ShortId;
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use http::Method;
use tempfile::TempPath;

use super::metrics::BlobMetrics;
use super::{Address, BlobEntry, BlobError, Blobs, ByteStream, Labels};
use crate::ids::PairingId;

/// See the module.
pub struct MeasuredBlobs {
    blobs: Arc<dyn Blobs>,
    metrics: BlobMetrics,
}

impl MeasuredBlobs {
    /// Measures this blob store.
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

    fn unread(&self) -> usize {
        self.blobs.unread()
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

    fn serves_from(&self) -> Option<&str> {
        self.blobs.serves_from()
    }

    async fn address(
        &self,
        key: ShortId,
        method: &Method,
        labels: Labels<'_>,
    ) -> Result<Option<Address>, BlobError> {
        self.blobs.address(key, method, labels).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::metrics::Metrics;
    use crate::blob::conformance::{Fixture, blob_suite};
    use crate::blob::directory::DirectoryBlobs;

    // Whatever a blob store guarantees, it does so through this one too.
    blob_suite!(async {
        let folder = tempfile::tempdir().unwrap();
        let blobs = DirectoryBlobs::open(folder.path()).unwrap();
        let temp_dir = blobs.temp_dir().to_owned();
        let metrics = Metrics::default().blobs;
        let blobs = Arc::new(MeasuredBlobs::new(Arc::new(blobs), metrics));
        (Fixture { blobs, temp_dir }, folder)
    });
}
