//! Receiving a file of a multipart form (RFC 7578) without ever holding it whole in memory.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

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

use crate::http::body::{broken_off, has_cause};
use crate::http::error::ApiError;

/// What a form may hold beside the file: boundaries, headers, other fields. In bytes.
const SLACK: u64 = 64 * 1024;
/// What may be read without a field or a piece of one coming out of it, beside the last piece: the headers of a part.
const MAX_SILENCE: usize = 16 * 1024;
/// Chunks of the body are put together to pieces of this size, in bytes: each piece is a turn of the parser and a write.
const PIECE: usize = 64 * 1024;
/// How much of the file is kept in memory before it is written.
const WRITE_BUFFER: usize = 256 * 1024;

/// Receives files into a folder.
#[derive(Clone)]
pub struct UploadReceiver {
    folder: Arc<Path>,
    max_bytes: u64,
}

impl UploadReceiver {
    /// Puts files of at most so many bytes into `folder`.
    pub fn new(folder: &Path, max_bytes: u64) -> Self {
        Self {
            folder: folder.into(),
            max_bytes,
        }
    }

    /// Where they go.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the field `file` of the form to a temporary file. Other fields are skipped.
    ///
    /// # Errors
    /// [`ApiError::FileTooLarge`] over the limit, before the rest is read; [`ApiError::Malformed`] without that field
    /// or when the form is broken; [`ApiError::TooSlow`]; [`ApiError::Unavailable`] when the file cannot be written.
    pub async fn receive(&self, request: Request) -> Result<TempPath, ApiError> {
        let limit = self.max_bytes;
        let boundary = boundary(request.headers())?;
        let whole = limit.saturating_add(SLACK);
        let announced = request.headers().typed_get::<ContentLength>();
        if announced.is_some_and(|length| length.0 > whole) {
            return Err(ApiError::FileTooLarge { limit });
        }
        let body = request.into_body();
        let silence = Arc::new(AtomicUsize::new(0));
        let paced = Paced::new(body, Arc::clone(&silence));
        let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(whole));
        let mut form = Form {
            parts: Multipart::with_constraints(paced, boundary, limits),
            silence,
            limit,
        };
        form.receive_file(&self.folder).await
    }
}

fn boundary(headers: &HeaderMap) -> Result<String, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| multer::parse_boundary(value).ok())
        .ok_or(ApiError::malformed(
            "A picture is sent as multipart/form-data, in the field \"file\".",
        ))
}

struct Form {
    parts: Multipart<'static>,
    silence: Arc<AtomicUsize>,
    limit: u64,
}

impl Form {
    /// The form is read to its end: one that is cut short behind the file is broken too.
    async fn receive_file(&mut self, dir: &Path) -> Result<TempPath, ApiError> {
        let mut file = None;
        while let Some(mut field) = self.next_field().await? {
            if !is_file(&field) {
                while self.next_chunk(&mut field).await?.is_some() {}
            } else if file.is_some() {
                return Err(ApiError::malformed("One picture is sent at a time."));
            } else {
                file = self.save(&mut field, dir).await?;
            }
        }
        file.ok_or(ApiError::malformed(
            "There is no picture in this form; it belongs in the field \"file\".",
        ))
    }

    /// None when the form's file was not chosen: browsers send an empty one without a name then.
    async fn save(
        &self,
        field: &mut Field<'static>,
        dir: &Path,
    ) -> Result<Option<TempPath>, ApiError> {
        let (mut file, path) = temporary(dir).await.map_err(unwritable)?;
        let mut size = 0;
        while let Some(chunk) = self.next_chunk(field).await? {
            size += chunk.len() as u64;
            if size > self.limit {
                return Err(ApiError::FileTooLarge { limit: self.limit });
            }
            file.write_all(&chunk).await.map_err(unwritable)?;
        }
        file.flush().await.map_err(unwritable)?;
        let not_chosen = size == 0 && field.file_name().is_none_or(str::is_empty);
        Ok(Some(path).filter(|_| !not_chosen))
    }

    async fn next_field(&mut self) -> Result<Option<Field<'static>>, ApiError> {
        self.silence.store(0, Ordering::Relaxed);
        let field = self.parts.next_field().await;
        field.map_err(|error| refuse(error, self.limit))
    }

    async fn next_chunk(&self, field: &mut Field<'static>) -> Result<Option<Bytes>, ApiError> {
        self.silence.store(0, Ordering::Relaxed);
        let chunk = field.chunk().await;
        chunk.map_err(|error| refuse(error, self.limit))
    }
}

fn is_file(field: &Field<'_>) -> bool {
    field.name() == Some("file")
}

async fn temporary(dir: &Path) -> io::Result<(File, TempPath)> {
    let dir = dir.to_owned();
    let created = tokio::task::spawn_blocking(move || NamedTempFile::new_in(dir)).await?;
    let (file, path) = created?.into_parts();
    let mut file = File::from_std(file);
    file.set_max_buf_size(WRITE_BUFFER);
    Ok((file, path))
}

fn unwritable(error: io::Error) -> ApiError {
    tracing::error!(%error, "an upload cannot be written to the temporary folder");
    ApiError::Unavailable
}

fn refuse(error: multer::Error, limit: u64) -> ApiError {
    match error {
        multer::Error::StreamSizeExceeded { .. } => ApiError::FileTooLarge { limit },
        multer::Error::StreamReadFailed(cause) if !has_cause::<Silent>(cause.as_ref()) => {
            broken_off(cause.as_ref())
        }
        _ => ApiError::malformed("This is no well-formed multipart/form-data."),
    }
}

/// Nothing that belongs to a form has come for too long: the headers of a part do not end, or there is no part.
#[derive(Debug, thiserror::Error)]
#[error("no part of a form for {MAX_SILENCE} bytes")]
struct Silent;

/// The body, one piece at a time. The parser would otherwise take all that has arrived into its buffer at once.
struct Paced {
    body: Fuse<BodyDataStream>,
    /// Less than a piece, unless a chunk has just filled it up.
    gathered: BytesMut,
    /// Whether the parser has just been given a piece, and has to look at it first.
    pause: bool,
    /// Bytes read since something last came out of the parser.
    silence: Arc<AtomicUsize>,
}

impl Paced {
    fn new(body: Body, silence: Arc<AtomicUsize>) -> Self {
        Self {
            body: body.into_data_stream().fuse(),
            gathered: BytesMut::new(),
            pause: false,
            silence,
        }
    }

    /// As many chunks as make a piece, or all that are left.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        while self.gathered.len() < PIECE {
            match ready!(self.body.poll_next_unpin(cx)) {
                Some(Ok(chunk)) if self.gathered.is_empty() && chunk.len() >= PIECE => {
                    return Poll::Ready(Some(Ok(chunk)));
                }
                Some(Ok(chunk)) => self.gathered.extend_from_slice(&chunk),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if self.gathered.is_empty() => return Poll::Ready(None),
                None => break,
            }
        }
        Poll::Ready(Some(Ok(self.gathered.split().freeze())))
    }
}

impl Stream for Paced {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pause) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.silence.load(Ordering::Relaxed) > MAX_SILENCE {
            return Poll::Ready(Some(Err(axum::Error::new(Silent))));
        }
        let piece = ready!(self.poll_piece(cx));
        if let Some(Ok(bytes)) = &piece {
            self.pause = true;
            self.silence.fetch_add(bytes.len(), Ordering::Relaxed);
        }
        Poll::Ready(piece)
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn chunks_of_a_byte_are_put_together_to_pieces() {
        let length = 3 * PIECE + 5;
        let chunks = stream::iter(0..length).map(|_| Ok::<_, io::Error>(Bytes::from_static(b"x")));
        let paced = Paced::new(Body::from_stream(chunks), Arc::default());
        // Nobody looks for a form here.
        let lengths: Vec<_> = paced
            .map(|piece| piece.map_or(0, |piece| piece.len()))
            .take(2)
            .collect()
            .await;
        assert_eq!(lengths, [PIECE, 0]);
    }
}
