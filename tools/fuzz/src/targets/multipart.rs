//! Forms with an upload: however the body arrives, the same file is received.

use std::fs;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use futures::stream;
use server::admission::storage_quota::{StorageLimits, StorageQuota};
use server::http::error::ApiError;
use server::http::routes::multipart::UploadReceiver;
use tokio::runtime::{Builder, Runtime};

use super::folder;

/// The largest file, in bytes.
const MAX_BYTES: u64 = 1_000;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("the runtime starts")
});

/// The first byte is how many bytes arrive at a time. The boundary is `x`.
pub fn run(bytes: &[u8]) {
    let Some((piece, bytes)) = bytes.split_first() else {
        return;
    };
    let piece = usize::from(*piece).max(1);
    let (at_once, in_pieces) = RUNTIME.block_on(async {
        (
            receive(bytes, bytes.len().max(1)).await,
            receive(bytes, piece).await,
        )
    });
    assert_eq!(at_once, in_pieces);
    let left = fs::read_dir(folder()).expect("the folder is there");
    assert_eq!(left.count(), 0, "temporary files are left");
}

async fn receive(bytes: &[u8], piece: usize) -> Result<(Vec<u8>, Option<u32>), ApiError> {
    let quota = StorageQuota::new(StorageLimits {
        max_stored: 0,
        min_free: 0,
    });
    let receiver = UploadReceiver::new(&folder(), MAX_BYTES, quota);
    let pieces = bytes.chunks(piece).map(Bytes::copy_from_slice);
    let pieces: Vec<_> = pieces.map(Ok::<_, std::io::Error>).collect();
    let request = Request::builder()
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Body::from_stream(stream::iter(pieces)))
        .expect("the request is valid");
    let upload = receiver.receive(request).await?;
    let file = fs::read(&upload.file).expect("the file is there");
    assert!(file.len() as u64 <= MAX_BYTES);
    Ok((file, upload.expires_in))
}
