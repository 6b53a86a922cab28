//! Copies of images, from which smaller pictures are made.

use std::io;
use std::time::Duration;

use app::model::ShortId;
use futures::TryStreamExt;
use tempfile::TempPath;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::blob::Blobs;
use crate::http::error::ApiError;
use crate::image::DecodePool;

/// How long reading the image from the blob store may take.
const READ_TIMEOUT: Duration = Duration::from_secs(15);

/// Copies an image of this size into a file where the pool writes its own.
pub(super) async fn download(
    blobs: &dyn Blobs,
    key: ShortId,
    size: u64,
    decoders: &DecodePool,
) -> Result<TempPath, ApiError> {
    let image = decoders.create_temporary().await?;
    match timeout(READ_TIMEOUT, copy(blobs, key, size, &image)).await {
        Ok(copied) => copied.map(|()| image),
        Err(_) => Err(ApiError::Unavailable),
    }
}

async fn copy(blobs: &dyn Blobs, key: ShortId, size: u64, into: &TempPath) -> Result<(), ApiError> {
    let mut bytes = blobs.read(key, 0..size).await?;
    let file = tokio::fs::File::create(into).await;
    let mut file = file.map_err(|error| unavailable(&error))?;
    while let Some(chunk) = bytes.try_next().await? {
        let written = file.write_all(&chunk).await;
        written.map_err(|error| unavailable(&error))?;
    }
    file.flush().await.map_err(|error| unavailable(&error))
}

/// Logs that the temporary file cannot be used.
pub(super) fn unavailable(error: &io::Error) -> ApiError {
    tracing::warn!(%error, "the temporary file of a smaller picture could not be read or written");
    ApiError::Unavailable
}
