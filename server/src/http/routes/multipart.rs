//! Receives an upload as a multipart form (RFC 7578) without holding all of it in memory.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use bytes::{Bytes, BytesMut};
use futures::stream::Fuse;
use futures::{Stream, StreamExt};
use headers::{ContentLength, HeaderMapExt};
use http::{HeaderMap, header};
use multer::{Constraints, Field, Multipart, SizeLimit};
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::admission::storage_quota::{Reservation, StorageFull, StorageQuota};
use crate::config::MAX_AGE;
use crate::http::body::{body_error, has_cause};
use crate::http::error::ApiError;

/// The maximum size of a form beside the file, in bytes: boundaries, headers, other fields.
const FORM_OVERHEAD: u64 = 64 * 1024;
/// How many bytes may be read, beside the last piece, without a part or a chunk of one coming out of the parser: the
/// headers of a part.
const MAX_UNPARSED_BYTES: usize = 16 * 1024;
/// The shortest time after which an upload may expire, in seconds.
const MIN_AGE: u32 = 60;
/// How long it may take until it is known how much storage is left, after the start of a node.
const QUOTA_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest number that is read.
const MAX_AGE_DIGITS: usize = 10;
/// Chunks of the body are combined to pieces of this size, in bytes: each piece costs a run of the parser and a write.
const PIECE_BYTES: usize = 64 * 1024;
/// How many bytes of the file are buffered before they are written.
const WRITE_BUFFER_BYTES: usize = 256 * 1024;

/// An upload as it was sent.
pub struct ReceivedUpload {
    /// The file.
    pub file: TempPath,
    /// In how many seconds it is to expire, if it is: [`MIN_AGE`] to [`MAX_AGE`].
    pub expires_in: Option<u32>,
    /// The storage that is reserved for it.
    pub storage: Reservation,
}

/// Receives uploads, their files into a temporary folder.
#[derive(Clone)]
pub struct UploadReceiver {
    folder: Arc<Path>,
    max_bytes: u64,
    quota: StorageQuota,
}

impl UploadReceiver {
    /// Makes one that puts files of at most this many bytes into `folder`, if there is storage for them.
    pub fn new(folder: &Path, max_bytes: u64, quota: StorageQuota) -> Self {
        Self {
            folder: folder.into(),
            max_bytes,
            quota,
        }
    }

    /// Returns the folder that received files are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the form's field `file` to a temporary file, and reads `expiresIn`. Other fields are skipped.
    ///
    /// # Errors
    /// [`ApiError::FileTooLarge`] over the limit and [`ApiError::StorageFull`] beyond the quota, before the rest is
    /// read, or anything if the form's length is announced; [`ApiError::Malformed`] without a file or when the form is
    /// invalid; [`ApiError::BadField`]; [`ApiError::TooSlow`]; [`ApiError::Unavailable`] when the file cannot
    /// be written.
    pub async fn receive(&self, request: Request) -> Result<ReceivedUpload, ApiError> {
        let limit = self.max_bytes;
        let boundary = boundary(request.headers())?;
        let max_form_bytes = limit.saturating_add(FORM_OVERHEAD);
        let announced = request.headers().typed_get::<ContentLength>();
        if announced.is_some_and(|length| length.0 > max_form_bytes) {
            return Err(ApiError::FileTooLarge { limit });
        }
        timeout(QUOTA_TIMEOUT, self.quota.known())
            .await
            .map_err(|_| ApiError::Unavailable)?;
        self.quota.check(announced.map_or(1, |length| length.0))?;
        // It grows with what arrives.
        let storage = self.quota.reserve(0)?;
        let body = request.into_body();
        let unparsed = Arc::new(AtomicUsize::new(0));
        let pieces = Pieces::new(body, Arc::clone(&unparsed));
        let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(max_form_bytes));
        let form = Form {
            parts: Multipart::with_constraints(pieces, boundary, limits),
            unparsed,
            limit,
            storage,
        };
        form.receive(&self.folder).await
    }
}

fn boundary(headers: &HeaderMap) -> Result<String, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| multer::parse_boundary(value).ok())
        .ok_or(ApiError::malformed(
            "An image is sent as multipart/form-data, in the field \"file\".",
        ))
}

struct Form {
    parts: Multipart<'static>,
    unparsed: Arc<AtomicUsize>,
    limit: u64,
    storage: Reservation,
}

impl Form {
    /// Reads the form to its end: one that is incomplete after the file is invalid too.
    async fn receive(mut self, dir: &Path) -> Result<ReceivedUpload, ApiError> {
        let (mut file, mut expires_in) = (None, None);
        while let Some(mut field) = self.next_field().await? {
            match field.name() {
                Some("file") if file.is_some() => return Err(ApiError::SeveralImages),
                Some("file") => file = self.save(&mut field, dir).await?,
                Some("expiresIn") => expires_in = self.read_age(&mut field).await?,
                _ => while self.next_chunk(&mut field).await?.is_some() {},
            }
        }
        let file = file.ok_or(ApiError::NoImage)?;
        Ok(ReceivedUpload {
            file,
            expires_in,
            storage: self.storage,
        })
    }

    /// Returns `None` if the field is empty, as a form sends it for an upload that does not expire.
    async fn read_age(&self, field: &mut Field<'static>) -> Result<Option<u32>, ApiError> {
        let mut digits = Vec::new();
        while let Some(chunk) = self.next_chunk(field).await? {
            digits.extend_from_slice(&chunk);
            if digits.len() > MAX_AGE_DIGITS {
                return Err(bad_age());
            }
        }
        if digits.is_empty() {
            return Ok(None);
        }
        let seconds = str::from_utf8(&digits).ok().and_then(|it| it.parse().ok());
        let seconds = seconds.filter(|seconds| (MIN_AGE..=MAX_AGE).contains(seconds));
        seconds.map(Some).ok_or_else(bad_age)
    }

    /// Returns `None` if no file was chosen: browsers then send an empty one without a name.
    async fn save(
        &mut self,
        field: &mut Field<'static>,
        dir: &Path,
    ) -> Result<Option<TempPath>, ApiError> {
        let (mut file, path) = create_temporary(dir).await.map_err(write_error)?;
        let mut size = 0;
        while let Some(chunk) = self.next_chunk(field).await? {
            size += chunk.len() as u64;
            if size > self.limit {
                return Err(ApiError::FileTooLarge { limit: self.limit });
            }
            self.storage.grow_to(size)?;
            file.write_all(&chunk).await.map_err(write_error)?;
        }
        file.flush().await.map_err(write_error)?;
        let not_chosen = size == 0 && field.file_name().is_none_or(str::is_empty);
        Ok(Some(path).filter(|_| !not_chosen))
    }

    async fn next_field(&mut self) -> Result<Option<Field<'static>>, ApiError> {
        self.unparsed.store(0, Ordering::Relaxed);
        let field = self.parts.next_field().await;
        field.map_err(|error| form_error(error, self.limit))
    }

    async fn next_chunk(&self, field: &mut Field<'static>) -> Result<Option<Bytes>, ApiError> {
        self.unparsed.store(0, Ordering::Relaxed);
        let chunk = field.chunk().await;
        chunk.map_err(|error| form_error(error, self.limit))
    }
}

fn bad_age() -> ApiError {
    let detail = format!("expiresIn is a number of seconds from {MIN_AGE} to {MAX_AGE}");
    ApiError::field("expiresIn", detail)
}

async fn create_temporary(dir: &Path) -> io::Result<(File, TempPath)> {
    let dir = dir.to_owned();
    let created = tokio::task::spawn_blocking(move || NamedTempFile::new_in(dir)).await?;
    let (file, path) = created?.into_parts();
    let mut file = File::from_std(file);
    file.set_max_buf_size(WRITE_BUFFER_BYTES);
    Ok((file, path))
}

fn write_error(error: io::Error) -> ApiError {
    tracing::error!(%error, "an upload cannot be written to the temporary folder");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageFull.into(),
        _ => ApiError::Unavailable,
    }
}

fn form_error(error: multer::Error, limit: u64) -> ApiError {
    match error {
        multer::Error::StreamSizeExceeded { .. } => ApiError::FileTooLarge { limit },
        multer::Error::StreamReadFailed(cause) if !has_cause::<NoPart>(cause.as_ref()) => {
            body_error(cause.as_ref())
        }
        _ => ApiError::malformed("This is no well-formed multipart/form-data."),
    }
}

/// Too many bytes have been read without a part: its headers do not end, or there is no part.
#[derive(Debug, thiserror::Error)]
#[error("no part of a form for {MAX_UNPARSED_BYTES} bytes")]
struct NoPart;

/// The body in pieces, one at a time. Otherwise the parser would buffer all that has arrived.
struct Pieces {
    body: Fuse<BodyDataStream>,
    /// Less than a piece, unless a chunk has just completed one.
    buffer: BytesMut,
    /// Whether a piece was just returned, which the parser should process first.
    yield_next: bool,
    /// Bytes read since something last came out of the parser.
    unparsed: Arc<AtomicUsize>,
}

impl Pieces {
    fn new(body: Body, unparsed: Arc<AtomicUsize>) -> Self {
        Self {
            body: body.into_data_stream().fuse(),
            buffer: BytesMut::new(),
            yield_next: false,
            unparsed,
        }
    }

    /// Returns as many chunks as make a piece, or all that are left.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        while self.buffer.len() < PIECE_BYTES {
            match ready!(self.body.poll_next_unpin(cx)) {
                Some(Ok(chunk)) if self.buffer.is_empty() && chunk.len() >= PIECE_BYTES => {
                    return Poll::Ready(Some(Ok(chunk)));
                }
                Some(Ok(chunk)) => self.buffer.extend_from_slice(&chunk),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if self.buffer.is_empty() => return Poll::Ready(None),
                None => break,
            }
        }
        Poll::Ready(Some(Ok(self.buffer.split().freeze())))
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.yield_next) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.unparsed.load(Ordering::Relaxed) > MAX_UNPARSED_BYTES {
            return Poll::Ready(Some(Err(axum::Error::new(NoPart))));
        }
        let piece = ready!(self.poll_piece(cx));
        if let Some(Ok(bytes)) = &piece {
            self.yield_next = true;
            self.unparsed.fetch_add(bytes.len(), Ordering::Relaxed);
        }
        Poll::Ready(piece)
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn one_byte_chunks_are_combined_to_pieces() {
        let length = 3 * PIECE_BYTES + 5;
        let chunks = stream::iter(0..length).map(|_| Ok::<_, io::Error>(Bytes::from_static(b"x")));
        let pieces = Pieces::new(Body::from_stream(chunks), Arc::default());
        // No parser resets the counter here.
        let lengths: Vec<_> = pieces
            .map(|piece| piece.map_or(0, |piece| piece.len()))
            .take(2)
            .collect()
            .await;
        assert_eq!(lengths, [PIECE_BYTES, 0]);
    }
}
