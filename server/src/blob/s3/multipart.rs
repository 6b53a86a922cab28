//! A large file is sent in parts; the object shows when all are there and the server is told so.

use std::ops::Range;

use app::model::ShortId;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::bucket::{Bucket, MARK};
use super::error::{is_not_found, trouble};
use super::put::{MEDIA_TYPE, PART, Put, Show};
use super::writer::Refusal;
use crate::blob::BlobError;

/// How many parts are sent at the same time.
const AT_ONCE: usize = 4;

const DOING: &str = "keeping a part of an image";

impl Put<'_> {
    pub(super) async fn send_parts(&self, size: u64) -> Result<(), BlobError> {
        let upload = self.begin().await?;
        let starts = (0..).map(|n| n * PART).take_while(|start| *start < size);
        let parts = stream::iter((1_i32..).zip(starts))
            .map(|(number, start)| {
                self.send_part(&upload.id, number, start..size.min(start + PART))
            })
            .buffered(AT_ONCE);
        let parts: Vec<CompletedPart> = parts.try_collect().await?;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
        self.show(Show::Parts(&upload.id, parts.build())).await?;
        upload.finish();
        Ok(())
    }

    pub(super) async fn join_parts(
        &self,
        upload: &str,
        parts: &CompletedMultipartUpload,
        condition: Option<String>,
    ) -> Result<(), Refusal> {
        let bucket = &self.writer.bucket;
        let call = bucket
            .patient
            .complete_multipart_upload()
            .bucket(&bucket.name);
        let call = call.key(self.key.as_str());
        let call = call.upload_id(upload).multipart_upload(parts.clone());
        let joined = call.set_if_none_match(condition).send().await;
        joined.map(drop).map_err(Refusal::of)
    }

    pub(super) async fn begin(&self) -> Result<Unfinished, BlobError> {
        let bucket = &self.writer.bucket;
        let call = bucket
            .patient
            .create_multipart_upload()
            .bucket(&bucket.name);
        let call = call.key(self.key.as_str());
        let call = call.content_type(MEDIA_TYPE).metadata(MARK, &self.mark);
        let begun = call.send().await.map_err(|error| trouble(DOING, &error))?;
        let id = begun.upload_id.ok_or(BlobError::Unavailable)?;
        Ok(Unfinished {
            bucket: bucket.clone(),
            clearing: self.writer.clearing.clone(),
            runtime: Handle::current(),
            key: self.key,
            id,
            is_done: false,
        })
    }

    pub(super) async fn send_part(
        &self,
        upload: &str,
        number: i32,
        range: Range<u64>,
    ) -> Result<CompletedPart, BlobError> {
        let length = range.end - range.start;
        let bytes = self.bytes(Some((range.start, length))).await?;
        let bucket = &self.writer.bucket;
        let call = bucket.patient.upload_part().bucket(&bucket.name);
        let call = call.key(self.key.as_str());
        let call = call.upload_id(upload).part_number(number).body(bytes);
        let sent = call.send().await.map_err(|error| trouble(DOING, &error))?;
        self.progress.made(1);
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .build())
    }
}

/// An upload in parts. When it is given up, the server is told to forget them; if that fails, or the node dies, they
/// are swept after a day.
pub(super) struct Unfinished {
    bucket: Bucket,
    clearing: TaskTracker,
    runtime: Handle,
    key: ShortId,
    pub id: String,
    is_done: bool,
}

impl Unfinished {
    fn finish(mut self) {
        self.is_done = true;
    }
}

impl Drop for Unfinished {
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
        self.clearing.spawn_on(clear, &self.runtime);
    }
}

/// Has the server forget an upload in parts; fine when there is none.
pub(super) async fn abort(bucket: &Bucket, key: &str, upload: &str) -> Result<(), BlobError> {
    let call = bucket.quick.abort_multipart_upload().bucket(&bucket.name);
    match call.key(key).upload_id(upload).send().await {
        Ok(_) => Ok(()),
        Err(error) if is_not_found(&error) => Ok(()),
        Err(error) => Err(trouble("forgetting the parts of an image", &error)),
    }
}
