//! A wrapper that measures the calls of a store.

use std::net::IpAddr;
use std::sync::Arc;

use app::model::{
    BlockedAddress, Deletion, ListedUpload, LogPage, Report, ShortId, Timestamp, Upload, UploadId,
    UploadRef,
};
use async_trait::async_trait;

use super::metrics::StoreMetrics;
use super::{
    Appended, ContentHash, Deleted, DeletionDraft, Draft, MessageRef, Moderation, Removal,
    Requester, SecretHash, Select, Store, StoreError, UploadFilter,
};
use crate::ids::PairingId;

/// Records the duration and outcome of each call of the wrapped store.
pub struct MeasuredStore {
    store: Arc<dyn Store>,
    metrics: StoreMetrics,
}

impl MeasuredStore {
    /// Wraps a store.
    pub fn new(store: Arc<dyn Store>, metrics: StoreMetrics) -> Self {
        Self { store, metrics }
    }
}

#[async_trait]
impl Store for MeasuredStore {
    async fn insert_upload(
        &self,
        upload: Upload,
        owner: Option<SecretHash>,
    ) -> Result<(), StoreError> {
        let call = self.store.insert_upload(upload, owner);
        self.metrics.calls.measure("insert_upload", call).await
    }

    async fn upload(&self, name: UploadRef) -> Result<Upload, StoreError> {
        let call = self.store.upload(name);
        self.metrics.calls.measure("upload", call).await
    }

    async fn append(
        &self,
        upload: UploadId,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Appended>, StoreError> {
        self.metrics.record_group(drafts.len());
        let call = self.store.append(upload, drafts);
        let appended = self.metrics.calls.measure("append", call).await?;
        self.metrics.record_appended(&appended);
        Ok(appended)
    }

    async fn delete_message(
        &self,
        upload: UploadId,
        message: MessageRef,
        by: Requester,
        draft: DeletionDraft,
    ) -> Result<Deleted, StoreError> {
        let call = self.store.delete_message(upload, message, by, draft);
        self.metrics.calls.measure("delete_message", call).await
    }

    async fn finish_deletions(&self, limit: usize) -> Result<Vec<Deletion>, StoreError> {
        let call = self.store.finish_deletions(limit);
        self.metrics.calls.measure("finish_deletions", call).await
    }

    async fn delete_upload(
        &self,
        upload: UploadId,
        by: Requester,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let call = self.store.delete_upload(upload, by, at);
        self.metrics.calls.measure("delete_upload", call).await
    }

    async fn removals(&self, limit: usize) -> Result<Vec<Removal>, StoreError> {
        let call = self.store.removals(limit);
        self.metrics.calls.measure("removals", call).await
    }

    async fn remove_log(&self, upload: UploadId, limit: usize) -> Result<usize, StoreError> {
        let call = self.store.remove_log(upload, limit);
        self.metrics.calls.measure("remove_log", call).await
    }

    async fn finish_removal(&self, upload: UploadId) -> Result<(), StoreError> {
        let call = self.store.finish_removal(upload);
        self.metrics.calls.measure("finish_removal", call).await
    }

    async fn entries(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        let call = self.store.entries(upload, select, limit);
        self.metrics.calls.measure("entries", call).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.metrics.calls.measure("ping", self.store.ping()).await
    }

    async fn pairing(&self) -> Result<Option<PairingId>, StoreError> {
        let call = self.store.pairing();
        self.metrics.calls.measure("pairing", call).await
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, StoreError> {
        let call = self.store.pair(id);
        self.metrics.calls.measure("pair", call).await
    }

    async fn newest_uploads(&self, limit: usize) -> Result<Vec<ShortId>, StoreError> {
        let call = self.store.newest_uploads(limit);
        self.metrics.calls.measure("newest_uploads", call).await
    }

    async fn stored_bytes(&self) -> Result<u64, StoreError> {
        let call = self.store.stored_bytes();
        self.metrics.calls.measure("stored_bytes", call).await
    }

    async fn has_short_id(&self, short_id: ShortId) -> Result<bool, StoreError> {
        let call = self.store.has_short_id(short_id);
        self.metrics.calls.measure("has_short_id", call).await
    }

    async fn unused_short_ids(&self, short_ids: Vec<ShortId>) -> Result<Vec<ShortId>, StoreError> {
        let call = self.store.unused_short_ids(short_ids);
        self.metrics.calls.measure("unused_short_ids", call).await
    }
}

/// Records the duration and outcome of each call of the wrapped store.
pub struct MeasuredModeration {
    store: Arc<dyn Moderation>,
    metrics: StoreMetrics,
}

impl MeasuredModeration {
    /// Wraps a store.
    pub fn new(store: Arc<dyn Moderation>, metrics: StoreMetrics) -> Self {
        Self { store, metrics }
    }
}

#[async_trait]
impl Moderation for MeasuredModeration {
    async fn add_report(&self, upload: UploadId, report: Report) -> Result<(), StoreError> {
        let call = self.store.add_report(upload, report);
        self.metrics.calls.measure("add_report", call).await
    }

    async fn list_uploads(
        &self,
        filter: UploadFilter,
        before: Option<UploadId>,
        limit: usize,
    ) -> Result<Vec<ListedUpload>, StoreError> {
        let call = self.store.list_uploads(filter, before, limit);
        self.metrics.calls.measure("list_uploads", call).await
    }

    async fn block_image(&self, content: ContentHash) -> Result<(), StoreError> {
        let call = self.store.block_image(content);
        self.metrics.calls.measure("block_image", call).await
    }

    async fn is_image_blocked(&self, content: ContentHash) -> Result<bool, StoreError> {
        let call = self.store.is_image_blocked(content);
        self.metrics.calls.measure("is_image_blocked", call).await
    }

    async fn reports(&self, upload: UploadId) -> Result<Vec<Report>, StoreError> {
        let call = self.store.reports(upload);
        self.metrics.calls.measure("reports", call).await
    }

    async fn dismiss_reports(&self, upload: UploadId) -> Result<(), StoreError> {
        let call = self.store.dismiss_reports(upload);
        self.metrics.calls.measure("dismiss_reports", call).await
    }

    async fn block_address(
        &self,
        address: IpAddr,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let call = self.store.block_address(address, until);
        self.metrics.calls.measure("block_address", call).await
    }

    async fn blocked_addresses(&self) -> Result<Vec<BlockedAddress>, StoreError> {
        let call = self.store.blocked_addresses();
        self.metrics.calls.measure("blocked_addresses", call).await
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures::FutureExt;

    use super::*;
    use crate::app::metrics::Metrics;
    use crate::http::metrics_endpoint::encode_metrics;
    use crate::store::conformance::store_suite;
    use crate::store::sqlite::SqliteStore;

    // The wrapper must keep every guarantee of the store.
    store_suite!(async {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
        let metrics = Metrics::default().store;
        let measured: Arc<dyn Store> = Arc::new(MeasuredStore::new(store, metrics));
        (measured, folder)
    });

    #[tokio::test]
    async fn abandoned_and_failed_calls_are_counted() {
        let metrics = Metrics::default();
        let calls = metrics.store.calls.clone();
        let call = calls.measure("append", pending::<Result<(), StoreError>>());
        assert_eq!(call.now_or_never(), None);
        let call = calls.measure("append", async { Err::<(), _>(StoreError::Unavailable) });
        assert_eq!(call.await, Err(StoreError::Unavailable));
        let text = encode_metrics(&metrics.registry);
        for outcome in ["abandoned", "unavailable"] {
            let series = "tonesa_store_call_duration_seconds_count";
            let sample = format!("{series}{{operation=\"append\",outcome=\"{outcome}\"}} 1\n");
            assert!(text.contains(&sample), "{sample} is not in {text}");
        }
    }
}
