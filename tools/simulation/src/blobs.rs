//! The images as one node sees them. Only the remover uses them here: there are their keys, and no bytes.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use app::model::ShortId;
use async_trait::async_trait;
use http::Method;
use server::blob::{
    BlobEntry, BlobError, Blobs, ByteStream, Derived, PresignedUrl, ResponseHeaders,
};
use server::ids::PairingId;
use tempfile::TempPath;

use crate::clock::NodeClock;
use crate::links::{Links, StoreLink, chance, pause};

/// The keys of all images.
pub type Images = Arc<Mutex<BTreeSet<ShortId>>>;

/// A node's connection to the images.
pub struct NodeBlobs {
    pub images: Images,
    pub links: Links,
    pub clock: NodeClock,
}

#[async_trait]
impl Blobs for NodeBlobs {
    async fn delete(&self, key: ShortId) -> Result<(), BlobError> {
        pause(1..20).await;
        if self.links.store() == StoreLink::Failing && chance(50) {
            return Err(BlobError::Unavailable);
        }
        self.clock.trace(format_args!("store delete_image {key}"));
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        images.remove(&key);
        Ok(())
    }

    async fn put(&self, _: ShortId, _: TempPath) -> Result<(), BlobError> {
        Err(BlobError::Unavailable)
    }

    async fn read(&self, _: ShortId, _: Range<u64>) -> Result<ByteStream, BlobError> {
        Err(BlobError::Unavailable)
    }

    fn read_buffer_bytes(&self) -> usize {
        0
    }

    async fn list(&self, _: Option<ShortId>, _: usize) -> Result<Vec<BlobEntry>, BlobError> {
        Err(BlobError::Unavailable)
    }

    async fn put_derived(&self, _: ShortId, _: Derived, _: TempPath) -> Result<(), BlobError> {
        Err(BlobError::Unavailable)
    }

    async fn read_derived(&self, _: ShortId, _: Derived) -> Result<(u64, ByteStream), BlobError> {
        Err(BlobError::Unavailable)
    }

    async fn list_derived(
        &self,
        _: Option<ShortId>,
        _: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        Err(BlobError::Unavailable)
    }

    async fn pairing(&self) -> Result<Option<PairingId>, BlobError> {
        Err(BlobError::Unavailable)
    }

    async fn pair(&self, _: PairingId) -> Result<PairingId, BlobError> {
        Err(BlobError::Unavailable)
    }

    async fn mark_orphan(&self, _: ShortId) -> Result<(), BlobError> {
        Err(BlobError::Unavailable)
    }

    async fn unmark_orphan(&self, _: ShortId) -> Result<(), BlobError> {
        Err(BlobError::Unavailable)
    }

    async fn orphan_marks(
        &self,
        _: Option<ShortId>,
        _: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        Err(BlobError::Unavailable)
    }

    async fn ping(&self) -> Result<(), BlobError> {
        Ok(())
    }

    async fn clear_unfinished(&self, _: SystemTime) -> Result<usize, BlobError> {
        Ok(0)
    }

    fn redirect_origin(&self) -> Option<&str> {
        None
    }

    async fn presigned_url(
        &self,
        _: ShortId,
        _: &Method,
        _: ResponseHeaders<'_>,
    ) -> Result<Option<PresignedUrl>, BlobError> {
        Ok(None)
    }
}
