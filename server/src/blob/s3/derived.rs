//! Derived pictures: objects under a prefix of their own, which a listing of images counts as one and passes over.

use std::path::Path;
use std::time::SystemTime;

use app::model::ShortId;
use aws_sdk_s3::primitives::ByteStream as Body;
use aws_sdk_s3::types::{EncodingType, Object};

use super::bucket::Bucket;
use super::error::{is_not_found, unavailable};
use super::list::with_timeout;
use super::progress::Progress;
use super::put::{MEDIA_TYPE, unreadable};
use super::read::chunks;
use super::writer::Writer;
use crate::blob::{BlobEntry, BlobError, ByteStream, Derived};

/// The prefix of the keys: `derived/aB3dE9zZ/640-1`.
const PREFIX: &str = "derived/";

fn key_of(key: ShortId, derived: Derived) -> String {
    format!("{PREFIX}{key}/{}", derived.versioned_name())
}

/// Sends the file in one call, however large: an unfinished one leaves nothing behind.
pub(super) async fn put(
    writer: &Writer,
    key: ShortId,
    derived: Derived,
    file: &Path,
) -> Result<(), BlobError> {
    let progress = Progress::new(writer.stall_timeout);
    let bytes = Body::from_path(file).await.map_err(unreadable)?;
    let bucket = &writer.bucket;
    let call = bucket.untimed.put_object().bucket(&bucket.name);
    let call = call.key(key_of(key, derived)).content_type(MEDIA_TYPE);
    let call = call.body(progress.count(bytes));
    let send = async {
        let sent = call.send().await;
        sent.map_err(|error| unavailable("storing a derived picture", &error))
    };
    progress.watch(Box::pin(send)).await.map(drop)
}

pub(super) async fn read(
    bucket: &Bucket,
    key: ShortId,
    derived: Derived,
) -> Result<(u64, ByteStream), BlobError> {
    let call = bucket.timed.get_object().bucket(&bucket.name);
    let got = call.key(key_of(key, derived)).send().await;
    let got = got.map_err(|error| match error {
        error if is_not_found(&error) => BlobError::NotFound,
        error => unavailable("reading a derived picture", &error),
    })?;
    let size = got.content_length().and_then(|len| u64::try_from(len).ok());
    Ok((size.ok_or(BlobError::Unavailable)?, chunks(got.body)))
}

/// Deletes the pictures of all versions.
pub(super) async fn delete(bucket: &Bucket, key: ShortId) -> Result<(), BlobError> {
    let mut token = None;
    loop {
        let call = bucket.untimed.list_objects_v2().bucket(&bucket.name);
        let prefix = format!("{PREFIX}{key}/");
        let call = call.encoding_type(EncodingType::Url).prefix(prefix);
        let page = with_timeout(call.set_continuation_token(token).send()).await?;
        for key in page.contents().iter().filter_map(Object::key) {
            bucket.delete(key).await?;
        }
        token = page.next_continuation_token;
        if token.is_none() {
            return Ok(());
        }
    }
}

/// Lists the keys of which there are derived pictures. S3 lists objects by the bytes of their keys, which is also the
/// order of short ids; those of one short id come one after the other.
pub(super) async fn list(
    bucket: &Bucket,
    after: Option<ShortId>,
    limit: usize,
) -> Result<Vec<BlobEntry>, BlobError> {
    let mut found: Vec<BlobEntry> = Vec::new();
    // `0` is the character after `/`.
    let mut after = after.map(|key| format!("{PREFIX}{key}0"));
    let mut token = None;
    // One key more, so that all objects of the last one were seen.
    while found.len() <= limit {
        let call = bucket.untimed.list_objects_v2().bucket(&bucket.name);
        let call = call.encoding_type(EncodingType::Url).prefix(PREFIX);
        let call = call.set_start_after(after.take());
        let page = with_timeout(call.set_continuation_token(token).send()).await?;
        for entry in page.contents().iter().filter_map(entry) {
            match found.last_mut() {
                Some(last) if last.key == entry.key => {
                    last.modified = last.modified.max(entry.modified);
                }
                _ => found.push(entry),
            }
        }
        token = page.next_continuation_token;
        if token.is_none() {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

fn entry(object: &Object) -> Option<BlobEntry> {
    let (key, _) = object.key()?.strip_prefix(PREFIX)?.split_once('/')?;
    let modified = SystemTime::try_from(*object.last_modified()?).ok()?;
    let key = key.parse().ok()?;
    Some(BlobEntry { key, modified })
}
