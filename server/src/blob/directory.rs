//! Image bytes as files in a folder, for a node that stands alone.
//!
//! A blob's file is named by its key's bytes in hexadecimal digits, because some file systems take `aB` and `Ab` for
//! the same name, and lies two folders deep: `61/42/6142336445397a5a` for `aB3dE9zZ`. Beside them lie `pairing.id` and,
//! in `orphans`, an empty file for each blob that is marked.

mod layout;
mod notes;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use app::model::ShortId;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use http::Method;
use tempfile::TempPath;
use tokio::fs;
use tokio::task::spawn_blocking;
use tracing::{Span, error};

use self::layout::Layout;
use super::{Address, BlobEntry, BlobError, Blobs, ByteStream, Labels};
use crate::fs::folder::{FolderClaim, FolderError};
use crate::fs::write_proof::Proof;
use crate::ids::PairingId;

/// The size of the pieces in which a blob is read, in bytes. Half of it takes half as much again of the processor.
const PIECE: usize = 32 << 10;
/// How many of them an answer keeps at most: one that is sent in part, and the next one, which reaches what `serve` lets wait.
const PIECES: usize = 2;

/// Blobs in a folder.
pub struct DirectoryBlobs {
    layout: Arc<Layout>,
    writes: Proof,
    _claim: FolderClaim,
}

impl DirectoryBlobs {
    /// Opens the blobs in `folder`, makes it if need be, claims it for this process, and removes the temporary files
    /// that a dead one has left. It blocks: it is for the start of a node.
    ///
    /// # Errors
    /// When another process has the folder, or it cannot be written to.
    pub fn open(folder: &Path) -> Result<Self, FolderError> {
        let claim = FolderClaim::take(folder)?;
        let layout = Layout::new(folder);
        layout
            .clear_temporary_files()
            .map_err(|source| FolderError::Unusable {
                folder: folder.to_owned(),
                source,
            })?;
        Ok(Self {
            layout: Arc::new(layout),
            writes: Proof::default(),
            _claim: claim,
        })
    }

    /// Where the files have to be made that are to be [`put`](Blobs::put): they are renamed, not copied.
    pub fn temp_dir(&self) -> &Path {
        self.layout.temporary()
    }

    /// Does file work on a thread that may block. It is done to its end even if nobody waits for it.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Layout) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let layout = Arc::clone(&self.layout);
        let span = Span::current();
        spawn_blocking(move || span.in_scope(|| work(&layout))).await?
    }
}

#[async_trait]
impl Blobs for DirectoryBlobs {
    async fn put(&self, key: ShortId, file: TempPath) -> Result<(), BlobError> {
        let kept = self.blocking(move |layout| layout.keep(key, file)).await;
        kept.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BlobError::AlreadyExists,
            _ => trouble(error),
        })
    }

    async fn read(&self, key: ShortId, range: Range<u64>) -> Result<ByteStream, BlobError> {
        let opened = self.blocking(move |layout| File::open(layout.path(key)));
        match opened.await {
            Ok(file) => Ok(pieces(file, range).map_err(trouble).boxed()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BlobError::NotFound),
            Err(error) => Err(trouble(error)),
        }
    }

    fn unread(&self) -> usize {
        PIECES * PIECE
    }

    async fn delete(&self, key: ShortId) -> Result<(), BlobError> {
        match fs::remove_file(self.layout.path(key)).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(trouble),
        }
    }

    async fn list(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        self.blocking(move |layout| layout.list(after, limit))
            .await
            .map_err(trouble)
    }

    async fn pairing(&self) -> Result<Option<PairingId>, BlobError> {
        self.blocking(Layout::pairing).await.map_err(trouble)
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, BlobError> {
        self.blocking(move |layout| layout.pair(id))
            .await
            .map_err(trouble)
    }

    async fn mark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        self.blocking(move |layout| layout.mark(key))
            .await
            .map_err(trouble)
    }

    async fn unmark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        self.blocking(move |layout| layout.unmark(key))
            .await
            .map_err(trouble)
    }

    async fn orphan_marks(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        self.blocking(move |layout| layout.marks(after, limit))
            .await
            .map_err(trouble)
    }

    async fn ping(&self) -> Result<(), BlobError> {
        let is_due = self.writes.is_due();
        self.blocking(move |layout| layout.probe(is_due))
            .await
            .map_err(trouble)?;
        if is_due {
            self.writes.renew();
        }
        Ok(())
    }

    async fn clear_unfinished(&self, _before: SystemTime) -> Result<usize, BlobError> {
        // What a put leaves lies among the temporary files, which are cleared when the folder is opened.
        Ok(0)
    }

    fn serves_from(&self) -> Option<&str> {
        None
    }

    async fn address(
        &self,
        _key: ShortId,
        _method: &Method,
        _labels: Labels<'_>,
    ) -> Result<Option<Address>, BlobError> {
        Ok(None)
    }
}

/// Each piece is read when it is asked for, into a buffer of its own: nothing is kept for a reader who takes none.
fn pieces(file: File, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((file, range), async |(file, range)| {
        let Some(left) = range.end.checked_sub(range.start).filter(|left| *left > 0) else {
            return Ok(None);
        };
        let length = left.min(PIECE as u64);
        let (file, piece) = spawn_blocking(move || {
            let mut piece = vec![0; usize::try_from(length).unwrap_or(PIECE)];
            let read = file.read_exact_at(&mut piece, range.start);
            read.map(|()| (file, piece))
        })
        .await??;
        Ok(Some((
            piece.into(),
            (file, range.start + length..range.end),
        )))
    })
}

/// The folder does not do what it should.
fn trouble(error: io::Error) -> BlobError {
    error!(%error, "the folder of images failed");
    BlobError::Unavailable
}
