use std::ops::Range;

use app::model::ShortId;
use aws_sdk_s3::primitives::ByteStream as Body;
use futures::{StreamExt, stream};
use tracing::warn;

use super::bucket::Bucket;
use super::error::{is_not_found, unavailable};
use crate::blob::{BlobError, ByteStream};

/// How many bytes of an object are buffered by its connection and the answer while the client reads none.
pub(super) const READ_BUFFER_BYTES: usize = 256 * 1024;

/// Reads a range of an object. The chunks are what the connection has read at a time, some hundred KiB at most.
pub(super) async fn read(
    bucket: &Bucket,
    key: ShortId,
    range: Range<u64>,
) -> Result<ByteStream, BlobError> {
    // S3 has no empty ranges.
    if range.is_empty() {
        let put_id = bucket.put_id_of(key).await?;
        return put_id.map_or(Err(BlobError::NotFound), |_| Ok(stream::empty().boxed()));
    }
    let call = bucket.timed.get_object().bucket(&bucket.name);
    let call = call.key(key.as_str());
    let call = call.range(format!("bytes={}-{}", range.start, range.end - 1));
    let got = call.send().await.map_err(|error| match error {
        error if is_not_found(&error) => BlobError::NotFound,
        error => unavailable("reading an image", &error),
    })?;
    let length = got.content_length().and_then(|len| u64::try_from(len).ok());
    if length != Some(range.end - range.start) {
        warn!("the S3 server answered with another range of an image than requested");
        return Err(BlobError::Unavailable);
    }
    Ok(chunks(got.body))
}

/// Returns the chunks until the end or the first error.
pub(super) fn chunks(body: Body) -> ByteStream {
    stream::unfold(Some(body), async |body| {
        let mut body = body?;
        match body.next().await? {
            Ok(chunk) => Some((Ok(chunk), Some(body))),
            Err(error) => {
                warn!(%error, "reading an image from the S3 server was interrupted");
                Some((Err(BlobError::Unavailable), None))
            }
        }
    })
    .boxed()
}
