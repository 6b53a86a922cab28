//! A store around another one that tells how long its calls take and how they end.

use std::sync::Arc;

use app::model::{MessagePage, ShortId, Upload, UploadId, UploadRef};
use async_trait::async_trait;

use super::{Appended, Draft, Select, Store, StoreError};
use crate::metrics::StoreMetrics;

/// See the module.
pub struct MeasuredStore {
    store: Arc<dyn Store>,
    metrics: StoreMetrics,
}

impl MeasuredStore {
    /// Measures this store.
    pub fn new(store: Arc<dyn Store>, metrics: StoreMetrics) -> Self {
        Self { store, metrics }
    }
}

#[async_trait]
impl Store for MeasuredStore {
    async fn insert_upload(&self, upload: Upload) -> Result<(), StoreError> {
        let call = self.store.insert_upload(upload);
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
        self.metrics.grouped(drafts.len());
        let call = self.store.append(upload, drafts);
        let appended = self.metrics.calls.measure("append", call).await?;
        self.metrics.appended(&appended);
        Ok(appended)
    }

    async fn messages(
        &self,
        upload: UploadId,
        select: Select,
        limit: usize,
    ) -> Result<MessagePage, StoreError> {
        let call = self.store.messages(upload, select, limit);
        self.metrics.calls.measure("messages", call).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.metrics.calls.measure("ping", self.store.ping()).await
    }

    async fn has_short_id(&self, short_id: ShortId) -> Result<bool, StoreError> {
        let call = self.store.has_short_id(short_id);
        self.metrics.calls.measure("has_short_id", call).await
    }
}
