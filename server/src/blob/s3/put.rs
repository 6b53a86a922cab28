//! Putting a blob into the bucket.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;

use app::model::ShortId;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::CompletedMultipartUpload;
use rand::RngExt;
use rand::distr::Alphanumeric;
use tokio::fs;
use tracing::{error, warn};

use super::bucket::PUT_ID;
use super::progress::Progress;
use super::writer::{WriteError, Writer};
use crate::blob::BlobError;

/// The size of the parts in which a larger file is sent, in bytes. S3 allows 10,000 parts of at least 5 MiB.
pub(super) const PART_BYTES: u64 = 8 << 20;
/// How much of a file is read at a time, in bytes.
const READ_BYTES: usize = 64 << 10;
/// The content type of an object, which browsers do not interpret. A presigned URL sets the image's type instead.
pub(super) const MEDIA_TYPE: &str = "application/octet-stream";

/// The call that makes the object visible.
pub(super) enum CreateCall<'a> {
    /// The one that sends the whole file.
    PutObject,
    /// The one that completes a multipart upload: its id, and the parts.
    CompleteMultipart(&'a str, CompletedMultipartUpload),
}

pub(super) struct Put<'a> {
    pub writer: &'a Writer,
    pub key: ShortId,
    pub file: &'a Path,
    /// Stored with the object, to recognise whether this put has created it: a retry may find that the first attempt
    /// succeeded although its answer was lost.
    pub id: String,
    pub progress: Progress,
}

impl<'a> Put<'a> {
    pub fn new(writer: &'a Writer, key: ShortId, file: &'a Path) -> Self {
        Self {
            writer,
            key,
            file,
            id: random_put_id(),
            progress: Progress::new(writer.stall_timeout),
        }
    }

    /// Creates the object. If the future is dropped, the object is complete or does not exist.
    pub async fn run(&self) -> Result<(), BlobError> {
        let file = fs::metadata(self.file).await.map_err(unreadable)?;
        if self.writer.bucket.put_id_of(self.key).await?.is_some() {
            return Err(BlobError::AlreadyExists);
        }
        match file.len() {
            0..=PART_BYTES => self.watch(self.create(CreateCall::PutObject)).await,
            size => self.watch(self.send_parts(size)).await,
        }
    }

    async fn watch(
        &self,
        work: impl Future<Output = Result<(), BlobError>>,
    ) -> Result<(), BlobError> {
        self.progress.watch(Box::pin(work)).await
    }

    async fn send_whole(&self, condition: Option<String>) -> Result<(), WriteError> {
        let bytes = self
            .bytes(None)
            .await
            .map_err(|_| WriteError::Unavailable)?;
        let bucket = &self.writer.bucket;
        let call = bucket.untimed.put_object().bucket(&bucket.name);
        let call = call.key(self.key.as_str());
        let call = call.content_type(MEDIA_TYPE).metadata(PUT_ID, &self.id);
        let sent = call.set_if_none_match(condition).body(bytes).send().await;
        sent.map(drop).map_err(WriteError::of)
    }

    /// Returns the file, or a part of it by offset and length. It is read as it is sent, and can be read again.
    pub async fn bytes(&self, part: Option<(u64, u64)>) -> Result<ByteStream, BlobError> {
        let mut file = ByteStream::read_from()
            .path(self.file)
            .buffer_size(READ_BYTES);
        if let Some((offset, length)) = part {
            file = file.offset(offset).length(Length::Exact(length));
        }
        let bytes = file.build().await.map_err(unreadable)?;
        Ok(self.progress.count(bytes))
    }

    /// Makes the object visible, on the condition that the key is free.
    pub async fn create(&self, call: CreateCall<'_>) -> Result<(), BlobError> {
        let conditional_writes = &self.writer.conditional_writes.0;
        let condition = conditional_writes
            .load(Ordering::Relaxed)
            .then(|| "*".to_owned());
        let mut result = self.send(&call, condition).await;
        if matches!(result, Err(WriteError::ConditionUnsupported)) {
            if conditional_writes.swap(false, Ordering::Relaxed) {
                warn!("the S3 server does not support conditional writes (If-None-Match)");
            }
            result = self.send(&call, None).await;
        }
        match result {
            Ok(()) => Ok(()),
            Err(WriteError::Undecided) => self.resolve_undecided().await,
            Err(WriteError::ConditionUnsupported | WriteError::Unavailable) => {
                Err(BlobError::Unavailable)
            }
        }
    }

    async fn send(
        &self,
        call: &CreateCall<'_>,
        condition: Option<String>,
    ) -> Result<(), WriteError> {
        match call {
            CreateCall::PutObject => self.send_whole(condition).await,
            CreateCall::CompleteMultipart(multipart_id, parts) => {
                self.complete(multipart_id, parts, condition).await
            }
        }
    }

    async fn resolve_undecided(&self) -> Result<(), BlobError> {
        match self.writer.bucket.put_id_of(self.key).await? {
            Some(put_id) if put_id == self.id => Ok(()),
            Some(_) => Err(BlobError::AlreadyExists),
            None => Err(BlobError::Unavailable),
        }
    }
}

fn random_put_id() -> String {
    let letters = rand::rng().sample_iter(Alphanumeric);
    letters.take(22).map(char::from).collect()
}

pub(super) fn unreadable(error: impl Into<io::Error>) -> BlobError {
    let error = error.into();
    error!(%error, "a file to be uploaded cannot be read");
    BlobError::Unavailable
}
