use std::ops::Range;

use app::model::ShortId;
use aws_sdk_s3::primitives::ByteStream as Body;
use futures::{StreamExt, stream};
use tracing::warn;

use super::bucket::Bucket;
use super::error::{is_not_found, trouble};
use crate::blob::{BlobError, ByteStream};

/// What a connection to the server and the answer keep of an object while its reader takes nothing, in bytes.
pub(super) const UNREAD: usize = 256 * 1024;

/// Reads a part of an object. Its pieces are what the connection has read at a time, some hundred KiB at most.
pub(super) async fn read(
    bucket: &Bucket,
    key: ShortId,
    range: Range<u64>,
) -> Result<ByteStream, BlobError> {
    // S3 has no range without a byte.
    if range.is_empty() {
        let mark = bucket.mark_of(key).await?;
        return mark.map_or(Err(BlobError::NotFound), |_| Ok(stream::empty().boxed()));
    }
    let call = bucket.quick.get_object().bucket(&bucket.name);
    let call = call.key(key.as_str());
    let call = call.range(format!("bytes={}-{}", range.start, range.end - 1));
    let got = call.send().await.map_err(|error| match error {
        error if is_not_found(&error) => BlobError::NotFound,
        error => trouble("reading an image", &error),
    })?;
    let length = got.content_length().and_then(|len| u64::try_from(len).ok());
    if length != Some(range.end - range.start) {
        warn!("the S3 server did not answer with the range of an image that was asked for");
        return Err(BlobError::Unavailable);
    }
    Ok(pieces(got.body))
}

/// The pieces until the end or the first error.
fn pieces(body: Body) -> ByteStream {
    stream::unfold(Some(body), async |body| {
        let mut body = body?;
        match body.next().await? {
            Ok(piece) => Some((Ok(piece), Some(body))),
            Err(error) => {
                warn!(%error, "an image broke off on its way from the S3 server");
                Some((Err(BlobError::Unavailable), None))
            }
        }
    })
    .boxed()
}
