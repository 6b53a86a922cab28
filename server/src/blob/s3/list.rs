use std::error::Error;
use std::time::{Duration, SystemTime};

use app::model::ShortId;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{EncodingType, MultipartUpload, Object};
use tokio::time::timeout;
use tracing::warn;

use super::bucket::Bucket;
use super::error::unavailable;
use super::multipart::abort;
use crate::blob::{BlobEntry, BlobError};

/// How many entries S3 lists in one response.
const PAGE_SIZE: usize = 1_000;
/// How long one page may take. Long, since only the sweeper waits for it.
const PAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many pages of unfinished multipart uploads one run looks at. The next one starts over, and finds fewer.
const MAX_PAGES: usize = 10;

/// Lists the objects whose keys are this prefix and a short id. S3 lists objects by the bytes of their keys, which is
/// also the order of short ids. Other objects are skipped, and everything under a common prefix that ends with `/`
/// counts as one.
pub(super) async fn list(
    bucket: &Bucket,
    prefix: &str,
    after: Option<ShortId>,
    limit: usize,
) -> Result<Vec<BlobEntry>, BlobError> {
    let mut found = Vec::new();
    let mut after = after.map(|key| format!("{prefix}{key}"));
    let mut token = None;
    while found.len() < limit {
        let most = i32::try_from(PAGE_SIZE.min(limit - found.len())).unwrap_or(i32::MAX);
        let call = bucket.untimed.list_objects_v2().bucket(&bucket.name);
        // A foreign key may contain characters that XML cannot represent.
        let call = call
            .encoding_type(EncodingType::Url)
            .delimiter("/")
            .prefix(prefix);
        let call = call.max_keys(most).set_start_after(after.take());
        let page = with_timeout(call.set_continuation_token(token).send()).await?;
        found.extend((page.contents().iter()).filter_map(|object| entry(object, prefix)));
        token = page.next_continuation_token;
        if token.is_none() {
            break;
        }
    }
    Ok(found)
}

fn entry(object: &Object, prefix: &str) -> Option<BlobEntry> {
    let key = object.key()?.strip_prefix(prefix)?.parse().ok()?;
    let modified = SystemTime::try_from(*object.last_modified()?).ok()?;
    Some(BlobEntry { key, modified })
}

/// Aborts the multipart uploads that were begun before this time.
pub(super) async fn clear_unfinished(
    bucket: &Bucket,
    before: SystemTime,
) -> Result<usize, BlobError> {
    let mut cleared = 0;
    let (mut key, mut multipart_id) = (None, None);
    for _ in 0..MAX_PAGES {
        let call = bucket.untimed.list_multipart_uploads();
        let call = call.bucket(&bucket.name).set_key_marker(key);
        let page = with_timeout(call.set_upload_id_marker(multipart_id).send()).await?;
        for (key, multipart_id) in (page.uploads().iter()).filter_map(|it| if_old(it, before)) {
            abort(bucket, key, multipart_id).await?;
            cleared += 1;
        }
        (key, multipart_id) = (page.next_key_marker, page.next_upload_id_marker);
        if page.is_truncated != Some(true) {
            break;
        }
    }
    Ok(cleared)
}

/// Returns the key and id of a multipart upload if it is one of ours and old.
fn if_old(multipart: &MultipartUpload, before: SystemTime) -> Option<(&str, &str)> {
    let key = multipart
        .key()
        .filter(|key| key.parse::<ShortId>().is_ok())?;
    let begun = SystemTime::try_from(*multipart.initiated()?).ok()?;
    let is_old = begun < before;
    multipart.upload_id().filter(|_| is_old).map(|id| (key, id))
}

pub(super) async fn with_timeout<T, E>(
    call: impl Future<Output = Result<T, SdkError<E>>>,
) -> Result<T, BlobError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let answer = timeout(PAGE_TIMEOUT, call).await.map_err(|_| {
        warn!("listing the images at the S3 server timed out");
        BlobError::Unavailable
    })?;
    answer.map_err(|error| unavailable("listing the images", &error))
}
