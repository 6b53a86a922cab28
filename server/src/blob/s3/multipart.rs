//! Multipart uploads of large files. The object becomes visible when its multipart upload is completed.

use std::ops::Range;

use app::model::ShortId;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::bucket::{Bucket, PUT_ID};
use super::error::{is_not_found, unavailable};
use super::put::{CreateCall, MEDIA_TYPE, PART_BYTES, Put};
use super::writer::WriteError;
use crate::blob::BlobError;

/// How many parts are sent concurrently.
const MAX_CONCURRENT_PARTS: usize = 4;

const OPERATION: &str = "storing a part of an image";

impl Put<'_> {
    pub(super) async fn send_parts(&self, size: u64) -> Result<(), BlobError> {
        let multipart = self.begin().await?;
        let starts = (0..)
            .map(|n| n * PART_BYTES)
            .take_while(|start| *start < size);
        let parts = stream::iter((1_i32..).zip(starts))
            .map(|(number, start)| {
                self.send_part(&multipart.id, number, start..size.min(start + PART_BYTES))
            })
            .buffered(MAX_CONCURRENT_PARTS);
        let parts: Vec<CompletedPart> = parts.try_collect().await?;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
        self.create(CreateCall::CompleteMultipart(&multipart.id, parts.build()))
            .await?;
        multipart.finish();
        Ok(())
    }

    pub(super) async fn complete(
        &self,
        multipart_id: &str,
        parts: &CompletedMultipartUpload,
        condition: Option<String>,
    ) -> Result<(), WriteError> {
        let bucket = &self.writer.bucket;
        let call = bucket
            .untimed
            .complete_multipart_upload()
            .bucket(&bucket.name);
        let call = call.key(self.key.as_str());
        let call = call.upload_id(multipart_id).multipart_upload(parts.clone());
        let completed = call.set_if_none_match(condition).send().await;
        completed.map(drop).map_err(WriteError::of)
    }

    pub(super) async fn begin(&self) -> Result<PendingMultipart, BlobError> {
        let bucket = &self.writer.bucket;
        let call = bucket
            .untimed
            .create_multipart_upload()
            .bucket(&bucket.name);
        let call = call.key(self.key.as_str());
        let call = call.content_type(MEDIA_TYPE).metadata(PUT_ID, &self.id);
        let created = call
            .send()
            .await
            .map_err(|error| unavailable(OPERATION, &error))?;
        let id = created.upload_id.ok_or(BlobError::Unavailable)?;
        Ok(PendingMultipart {
            bucket: bucket.clone(),
            cleanup: self.writer.cleanup.clone(),
            runtime: Handle::current(),
            key: self.key,
            id,
            is_done: false,
        })
    }

    pub(super) async fn send_part(
        &self,
        multipart_id: &str,
        number: i32,
        range: Range<u64>,
    ) -> Result<CompletedPart, BlobError> {
        let length = range.end - range.start;
        let bytes = self.bytes(Some((range.start, length))).await?;
        let bucket = &self.writer.bucket;
        let call = bucket.untimed.upload_part().bucket(&bucket.name);
        let call = call.key(self.key.as_str());
        let call = call.upload_id(multipart_id).part_number(number).body(bytes);
        let sent = call
            .send()
            .await
            .map_err(|error| unavailable(OPERATION, &error))?;
        self.progress.add(1);
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .build())
    }
}

/// A multipart upload that is not completed. Dropping it aborts it; if that fails, or the node dies, it is
/// swept after a day.
pub(super) struct PendingMultipart {
    bucket: Bucket,
    cleanup: TaskTracker,
    runtime: Handle,
    key: ShortId,
    /// The id that S3 gave it.
    pub id: String,
    is_done: bool,
}

impl PendingMultipart {
    fn finish(mut self) {
        self.is_done = true;
    }
}

impl Drop for PendingMultipart {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let (bucket, key, id) = (self.bucket.clone(), self.key, std::mem::take(&mut self.id));
        let clear = async move {
            if abort(&bucket, key.as_str(), &id).await.is_err() {
                warn!("parts of an image stay at the S3 server until they are swept");
            }
        };
        self.cleanup.spawn_on(clear, &self.runtime);
    }
}

/// Aborts a multipart upload. Succeeds if there is none.
pub(super) async fn abort(bucket: &Bucket, key: &str, multipart_id: &str) -> Result<(), BlobError> {
    let call = bucket.timed.abort_multipart_upload().bucket(&bucket.name);
    match call.key(key).upload_id(multipart_id).send().await {
        Ok(_) => Ok(()),
        Err(error) if is_not_found(&error) => Ok(()),
        Err(error) => Err(unavailable("aborting a multipart upload", &error)),
    }
}
