//! The blob store in a folder, for a single node.
//!
//! A blob's file is named by its key's bytes in hexadecimal digits, because some file systems do not distinguish `aB`
//! from `Ab`, and lies two folders deep: `61/42/6142336445397a5a` for `aB3dE9zZ`. Beside the blobs there are
//! `pairing.id`, in `orphans` an empty file for each marked blob, and in `derived` a folder of derived pictures for
//! each blob: `derived/61/42/6142336445397a5a/640-1`. A listing of blobs passes over names that are not theirs.

mod derived;
mod layout;
mod marks;
mod pairing;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use app::model::ShortId;
use async_trait::async_trait;
use http::Method;
use tempfile::TempPath;
use tokio::fs;
use tokio::task::spawn_blocking;
use tracing::{Span, error};

use self::layout::Layout;
use super::file_stream::{BUFFER_BYTES, file_stream};
use super::{BlobEntry, BlobError, Blobs, ByteStream, Derived, PresignedUrl, ResponseHeaders};
use crate::fs::folder::{FolderError, FolderLock};
use crate::fs::write_check::WriteCheck;
use crate::ids::PairingId;

/// The blob store in a folder.
pub struct DirectoryBlobs {
    layout: Arc<Layout>,
    write_check: WriteCheck,
    _lock: FolderLock,
}

impl DirectoryBlobs {
    /// Opens the blobs in `folder`, creates it if it does not exist, locks it for this process, and removes temporary
    /// files of processes that died. Blocks; meant for the start of a node.
    ///
    /// # Errors
    /// When another process uses the folder, or it cannot be written to.
    pub fn open(folder: &Path) -> Result<Self, FolderError> {
        let lock = FolderLock::acquire(folder)?;
        let layout = Layout::new(folder);
        layout
            .clear_temporary_files()
            .map_err(|source| FolderError::Unusable {
                folder: folder.to_owned(),
                source,
            })?;
        Ok(Self {
            layout: Arc::new(layout),
            write_check: WriteCheck::default(),
            _lock: lock,
        })
    }

    /// Returns the folder in which files for [`put`](Blobs::put) must be created: they are renamed, not copied.
    pub fn temp_dir(&self) -> &Path {
        self.layout.temporary()
    }

    /// Does file work on a blocking thread. It is completed even if the caller is cancelled.
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
        let stored = self.blocking(move |layout| layout.store(key, file)).await;
        stored.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BlobError::AlreadyExists,
            _ => unavailable(error),
        })
    }

    async fn read(&self, key: ShortId, range: Range<u64>) -> Result<ByteStream, BlobError> {
        let opened = self.blocking(move |layout| File::open(layout.path(key)));
        match opened.await {
            Ok(file) => Ok(file_stream(file, range)),
            Err(error) => Err(unreadable(error)),
        }
    }

    fn read_buffer_bytes(&self) -> usize {
        BUFFER_BYTES
    }

    async fn delete(&self, key: ShortId) -> Result<(), BlobError> {
        match fs::remove_file(self.layout.path(key)).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.map_err(unavailable)?,
        }
        self.blocking(move |layout| layout.delete_derived(key))
            .await
            .map_err(unavailable)
    }

    async fn list(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        self.blocking(move |layout| layout.list(after, limit))
            .await
            .map_err(unavailable)
    }

    async fn put_derived(
        &self,
        key: ShortId,
        derived: Derived,
        file: TempPath,
    ) -> Result<(), BlobError> {
        self.blocking(move |layout| layout.store_derived(key, derived, file))
            .await
            .map_err(unavailable)
    }

    async fn read_derived(
        &self,
        key: ShortId,
        derived: Derived,
    ) -> Result<(u64, ByteStream), BlobError> {
        let opened = self.blocking(move |layout| layout.open_derived(key, derived));
        match opened.await {
            Ok((file, size)) => Ok((size, file_stream(file, 0..size))),
            Err(error) => Err(unreadable(error)),
        }
    }

    async fn list_derived(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        self.blocking(move |layout| layout.list_derived(after, limit))
            .await
            .map_err(unavailable)
    }

    async fn pairing(&self) -> Result<Option<PairingId>, BlobError> {
        self.blocking(Layout::pairing).await.map_err(unavailable)
    }

    async fn pair(&self, id: PairingId) -> Result<PairingId, BlobError> {
        self.blocking(move |layout| layout.pair(id))
            .await
            .map_err(unavailable)
    }

    async fn mark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        self.blocking(move |layout| layout.mark(key))
            .await
            .map_err(unavailable)
    }

    async fn unmark_orphan(&self, key: ShortId) -> Result<(), BlobError> {
        self.blocking(move |layout| layout.unmark(key))
            .await
            .map_err(unavailable)
    }

    async fn orphan_marks(
        &self,
        after: Option<ShortId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, BlobError> {
        self.blocking(move |layout| layout.marks(after, limit))
            .await
            .map_err(unavailable)
    }

    async fn ping(&self) -> Result<(), BlobError> {
        let is_due = self.write_check.is_due();
        self.blocking(move |layout| layout.probe(is_due))
            .await
            .map_err(unavailable)?;
        if is_due {
            self.write_check.record();
        }
        Ok(())
    }

    async fn clear_unfinished(&self, _before: SystemTime) -> Result<usize, BlobError> {
        // An unfinished put leaves only a temporary file, which is removed when the folder is opened.
        Ok(0)
    }

    fn redirect_origin(&self) -> Option<&str> {
        None
    }

    async fn presigned_url(
        &self,
        _key: ShortId,
        _method: &Method,
        _headers: ResponseHeaders<'_>,
    ) -> Result<Option<PresignedUrl>, BlobError> {
        Ok(None)
    }
}

/// Logs an error other than a missing file.
fn unreadable(error: io::Error) -> BlobError {
    match error.kind() {
        io::ErrorKind::NotFound => BlobError::NotFound,
        _ => unavailable(error),
    }
}

/// Logs an error of the file system.
fn unavailable(error: io::Error) -> BlobError {
    error!(%error, "the folder of images failed");
    BlobError::Unavailable
}
