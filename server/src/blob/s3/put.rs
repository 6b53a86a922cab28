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

use super::bucket::MARK;
use super::progress::Progress;
use super::writer::{Refusal, Writer};
use crate::blob::BlobError;

/// A larger file is sent in parts of this size, in bytes. S3 takes 10,000 parts of at least 5 MiB.
pub(super) const PART: u64 = 8 << 20;
/// How much of a file is read at a time, in bytes.
const PIECE: usize = 64 << 10;
/// The type that a server tells who is not told another one: nothing that a browser would run.
pub(super) const MEDIA_TYPE: &str = "application/octet-stream";

/// The call that lets the object show.
pub(super) enum Show<'a> {
    /// The one that sends the whole file.
    Whole,
    /// The last one of an upload in parts: its id, and the parts.
    Parts(&'a str, CompletedMultipartUpload),
}

/// One call of `put`.
pub(super) struct Put<'a> {
    pub writer: &'a Writer,
    pub key: ShortId,
    pub file: &'a Path,
    /// Kept with the object: tells whether it comes from this put, whose second attempt may find that the first one
    /// has made it although its answer was lost.
    pub mark: String,
    pub progress: Progress,
}

impl<'a> Put<'a> {
    pub fn new(writer: &'a Writer, key: ShortId, file: &'a Path) -> Self {
        Self {
            writer,
            key,
            file,
            mark: random_mark(),
            progress: Progress::new(writer.stall),
        }
    }

    /// Makes the object. Dropped on the way, it leaves the object whole or absent.
    pub async fn run(&self) -> Result<(), BlobError> {
        let file = fs::metadata(self.file).await.map_err(unreadable)?;
        if self.writer.bucket.mark_of(self.key).await?.is_some() {
            return Err(BlobError::AlreadyExists);
        }
        match file.len() {
            0..=PART => self.watch(self.show(Show::Whole)).await,
            size => self.watch(self.send_parts(size)).await,
        }
    }

    async fn watch(
        &self,
        work: impl Future<Output = Result<(), BlobError>>,
    ) -> Result<(), BlobError> {
        self.progress.watch(Box::pin(work)).await
    }

    async fn send_whole(&self, condition: Option<String>) -> Result<(), Refusal> {
        let bytes = self.bytes(None).await.map_err(|_| Refusal::Away)?;
        let bucket = &self.writer.bucket;
        let call = bucket.patient.put_object().bucket(&bucket.name);
        let call = call.key(self.key.as_str());
        let call = call.content_type(MEDIA_TYPE).metadata(MARK, &self.mark);
        let sent = call.set_if_none_match(condition).body(bytes).send().await;
        sent.map(drop).map_err(Refusal::of)
    }

    /// The file, or one part of it by its first byte and length, read as it is sent. It can be read again.
    pub async fn bytes(&self, part: Option<(u64, u64)>) -> Result<ByteStream, BlobError> {
        let mut file = ByteStream::read_from().path(self.file).buffer_size(PIECE);
        if let Some((offset, length)) = part {
            file = file.offset(offset).length(Length::Exact(length));
        }
        let bytes = file.build().await.map_err(unreadable)?;
        Ok(self.progress.count(bytes))
    }

    /// Makes the call that lets the object show, under the condition that there is none yet.
    pub async fn show(&self, how: Show<'_>) -> Result<(), BlobError> {
        let conditions = &self.writer.conditions.0;
        let condition = conditions.load(Ordering::Relaxed).then(|| "*".to_owned());
        let mut done = self.call(&how, condition).await;
        if matches!(done, Err(Refusal::NoConditions)) {
            if conditions.swap(false, Ordering::Relaxed) {
                warn!("the S3 server knows no conditional writes (If-None-Match)");
            }
            done = self.call(&how, None).await;
        }
        match done {
            Ok(()) => Ok(()),
            Err(Refusal::Undecided) => self.decide().await,
            Err(Refusal::NoConditions | Refusal::Away) => Err(BlobError::Unavailable),
        }
    }

    async fn call(&self, how: &Show<'_>, condition: Option<String>) -> Result<(), Refusal> {
        match how {
            Show::Whole => self.send_whole(condition).await,
            Show::Parts(upload, parts) => self.join_parts(upload, parts, condition).await,
        }
    }

    async fn decide(&self) -> Result<(), BlobError> {
        match self.writer.bucket.mark_of(self.key).await? {
            Some(mark) if mark == self.mark => Ok(()),
            Some(_) => Err(BlobError::AlreadyExists),
            None => Err(BlobError::Unavailable),
        }
    }
}

fn random_mark() -> String {
    let letters = rand::rng().sample_iter(Alphanumeric);
    letters.take(22).map(char::from).collect()
}

fn unreadable(error: impl Into<io::Error>) -> BlobError {
    let error = error.into();
    error!(%error, "a file that is to be kept cannot be read");
    BlobError::Unavailable
}
