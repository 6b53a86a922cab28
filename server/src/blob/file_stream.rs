//! The bytes of a file.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tokio::task::spawn_blocking;
use tracing::error;

use super::{BlobError, ByteStream};

/// The size of the chunks in which a file is read, in bytes. Half of it would take 1.5 times the processor time.
const CHUNK_BYTES: usize = 32 << 10;
/// How many bytes an answer holds at most: a chunk that is partly sent, and the next one, which fills the connection's
/// limit of unsent bytes.
pub(super) const BUFFER_BYTES: usize = 2 * CHUNK_BYTES;

/// Returns these bytes of a file.
pub fn file_stream(file: File, range: Range<u64>) -> ByteStream {
    let failed = |error| {
        error!(%error, "the file of an image could not be read");
        BlobError::Unavailable
    };
    chunks(file, range).map_err(failed).boxed()
}

/// Each chunk is read when it is requested, into a buffer of its own: nothing is buffered for a reader that takes none.
fn chunks(file: File, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((file, range), async |(file, range)| {
        let Some(left) = range.end.checked_sub(range.start).filter(|left| *left > 0) else {
            return Ok(None);
        };
        let length = left.min(CHUNK_BYTES as u64);
        let (file, chunk) = spawn_blocking(move || {
            let mut chunk = vec![0; usize::try_from(length).unwrap_or(CHUNK_BYTES)];
            let read = file.read_exact_at(&mut chunk, range.start);
            read.map(|()| (file, chunk))
        })
        .await??;
        Ok(Some((
            chunk.into(),
            (file, range.start + length..range.end),
        )))
    })
}
