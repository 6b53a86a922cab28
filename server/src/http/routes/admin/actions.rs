//! What an admin does, by the API or by the pages. Each change is logged: who, what, when, and no texts.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use app::model::{
    BlockedAddress, ListedUpload, MAX_REASON_CHARS, Report, Timestamp, Upload, UploadId, UploadRef,
    UploadsPage,
};
use axum::extract::FromRef;
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use tracing::info;

use crate::admission::address_blocks::AddressBlocks;
use crate::blob::{BlobError, Blobs};
use crate::clock;
use crate::config::MAX_AGE;
use crate::http::deadline::{Deadline, no_result_in_time};
use crate::http::error::ApiError;
use crate::http::extract::request_info::ClientAddress;
use crate::http::state::AppState;
use crate::hub::deleting::Deleter;
use crate::store::{
    ContentHash, MAX_BLOCKED_ADDRESSES, MAX_REPORTS, MessageRef, Moderation, Requester, Store,
    UploadFilter,
};

/// How many uploads are listed at once.
const PAGE_SIZE: usize = 50;
/// The memory reserved for a list before its length is known, in bytes: each upload with all reports that it may have,
/// of characters of four bytes, and one upload more.
pub(super) const MAX_LIST_BYTES: usize =
    (PAGE_SIZE + 1) * (MAX_REPORTS * (4 * MAX_REASON_CHARS + 128) + 1_024);
/// How long the blob store may take for an image that is to be refused.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// For how many seconds an address may be blocked: a minute to a year.
const BLOCK_SECONDS: RangeInclusive<u32> = 60..=MAX_AGE;

/// Carries out what an admin wants.
pub struct Actions {
    store: Arc<dyn Store>,
    moderation: Arc<dyn Moderation>,
    blobs: Arc<dyn Blobs>,
    deleter: Deleter,
    address_blocks: AddressBlocks,
}

impl FromRef<AppState> for Actions {
    fn from_ref(state: &AppState) -> Self {
        Self {
            store: Arc::clone(&state.store),
            moderation: Arc::clone(&state.moderation),
            blobs: Arc::clone(&state.blobs),
            deleter: state.deleter.clone(),
            address_blocks: state.address_blocks.clone(),
        }
    }
}

impl Actions {
    pub async fn list(
        &self,
        by: ClientAddress,
        filter: UploadFilter,
        before: Option<UploadId>,
    ) -> Result<UploadsPage, ApiError> {
        // One more than are shown tells whether there are more.
        let listed = self.moderation.list_uploads(filter, before, PAGE_SIZE + 1);
        let mut uploads = Deadline::start().wait("store", listed).await?;
        let has_more = uploads.len() > PAGE_SIZE;
        uploads.truncate(PAGE_SIZE);
        let next = uploads.last().filter(|_| has_more).map(|it| it.upload.id);
        info!(client = %by.ip(), "an admin lists uploads");
        Ok(UploadsPage { uploads, next })
    }

    /// Finds an upload and its reports.
    pub async fn find(&self, name: UploadRef) -> Result<ListedUpload, ApiError> {
        let deadline = Deadline::start();
        let upload = deadline.wait("store", self.store.upload(name)).await?;
        let reports = self.moderation.reports(upload.id);
        let reports: Vec<Report> = deadline.wait("store", reports).await?;
        Ok(ListedUpload { upload, reports })
    }

    /// Deletes an upload. With `block` its image is refused from then on.
    pub async fn delete_upload(
        &self,
        by: ClientAddress,
        name: UploadRef,
        block: bool,
    ) -> Result<(), ApiError> {
        let found = Deadline::start().wait("store", self.store.upload(name));
        let upload = found.await?;
        // Before its image is removed.
        if block {
            let content = hash_of_stored(self.blobs.as_ref(), &upload).await?;
            let blocking = self.moderation.block_image(content);
            Deadline::start().wait("store", blocking).await?;
        }
        let deletion = self.deleter.delete_upload(upload.id, Requester::Admin);
        Deadline::start().wait("store", deletion).await?;
        // With the upload's id, which gives access to nothing any more.
        info!(client = %by.ip(), upload = %upload.id, block, "an admin has deleted an upload");
        Ok(())
    }

    pub async fn delete_message(
        &self,
        by: ClientAddress,
        upload: UploadId,
        message: MessageRef,
    ) -> Result<(), ApiError> {
        let deletion = self
            .deleter
            .delete_message(upload, message, Requester::Admin);
        Deadline::start().wait("store", deletion).await?;
        // Without the upload's id, which gives access to it.
        info!(client = %by.ip(), seq = %message.seq, "an admin has deleted a message");
        Ok(())
    }

    pub async fn dismiss_reports(
        &self,
        by: ClientAddress,
        upload: UploadId,
    ) -> Result<(), ApiError> {
        let dismissal = self.moderation.dismiss_reports(upload);
        Deadline::start().wait("store", dismissal).await?;
        info!(client = %by.ip(), "an admin has dismissed reports");
        Ok(())
    }

    pub async fn blocked_addresses(&self) -> Result<Vec<BlockedAddress>, ApiError> {
        let blocked = self.moderation.blocked_addresses();
        Deadline::start().wait("store", blocked).await
    }

    /// Blocks an address for so many seconds, on this node at once; `None` unblocks it.
    pub async fn block_address(
        &self,
        by: ClientAddress,
        address: IpAddr,
        seconds: Option<u32>,
    ) -> Result<(), ApiError> {
        let until = seconds.map(until).transpose()?;
        let address = ClientAddress::from(address).rate_limit_key();
        let blocked = self.blocked_addresses().await?;
        let is_known = blocked.iter().any(|it| it.address == address);
        if until.is_some() && !is_known && blocked.len() >= MAX_BLOCKED_ADDRESSES {
            let detail = format!("at most {MAX_BLOCKED_ADDRESSES} addresses are blocked at a time");
            return Err(ApiError::field("address", detail));
        }
        let blocking = self.moderation.block_address(address, until);
        Deadline::start().wait("store", blocking).await?;
        let read = async {
            let blocked = self.blocked_addresses().await?;
            Ok::<_, ApiError>(blocked.iter().map(|it| it.address).collect())
        };
        self.address_blocks.refresh(read).await?;
        let until = until.map(tracing::field::display);
        info!(client = %by.ip(), %address, until, "an admin has set how long an address is blocked");
        Ok(())
    }
}

fn until(seconds: u32) -> Result<Timestamp, ApiError> {
    if !BLOCK_SECONDS.contains(&seconds) {
        let (min, max) = (BLOCK_SECONDS.start(), BLOCK_SECONDS.end());
        let allowed = format!("a number of seconds from {min} to {max}");
        return Err(ApiError::field("seconds", allowed));
    }
    let millis = clock::now().unix_millis() + i64::from(seconds) * 1_000;
    Timestamp::from_unix_millis(millis).ok_or(ApiError::Internal)
}

/// Reads an image to compute its hash.
async fn hash_of_stored(blobs: &dyn Blobs, upload: &Upload) -> Result<ContentHash, ApiError> {
    let hashing = async {
        let mut hasher = Sha256::new();
        let mut bytes = blobs.read(upload.short_id, 0..upload.content.size).await?;
        while let Some(piece) = bytes.try_next().await? {
            hasher.update(&piece);
        }
        Ok::<_, BlobError>(hasher.into())
    };
    match timeout(READ_TIMEOUT, hashing).await {
        Ok(hashed) => Ok(hashed?),
        Err(_) => Err(no_result_in_time("blobs")),
    }
}
