//! Tests of what every [`Blobs`] guarantees. A backend's tests call [`blob_suite`] with an expression that opens a
//! [`Fixture`]; each test uses its own keys, so the blobs may be shared and need not be empty.

pub(crate) mod derived;
pub(crate) mod keys;
pub(crate) mod marks;
pub(crate) mod pairing;
pub(crate) mod put;
pub(crate) mod read;

use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use app::model::ShortId;
use futures::TryStreamExt;
use rand::Rng;
use rand::distr::{Alphanumeric, SampleString};
use tempfile::{NamedTempFile, TempPath};

use super::{BlobError, Blobs};

/// Makes a test of each guarantee. `$open` is a future of `(Fixture, guard)`; the guard is dropped at the end of the
/// test.
macro_rules! blob_suite {
    ($open:expr) => {
        $crate::blob::conformance::blob_suite! {
            $open;
            put:
                a_blob_is_read_back_completely,
                the_file_is_consumed,
                a_taken_key_is_refused_and_its_blob_stays,
                one_of_many_concurrent_puts_gets_the_key,
                a_blob_becomes_visible_all_at_once,
                a_dropped_put_leaves_a_complete_blob_or_none;
            read:
                ranges_are_exact,
                chunks_are_bounded,
                concurrent_reads_are_independent;
            keys:
                unknown_blobs_are_not_found,
                a_deleted_blob_is_gone_and_its_key_is_free,
                letter_case_makes_another_key,
                blobs_are_listed_in_the_order_of_their_keys,
                the_blobs_answer_a_ping;
            pairing:
                the_first_pairing_id_is_stored_and_not_listed_as_a_blob,
                concurrent_pairings_with_one_id_agree;
            marks:
                a_marked_blob_is_still_read_and_listed,
                an_earlier_mark_is_not_replaced,
                marks_are_listed_in_the_order_of_their_keys;
            derived:
                a_derived_picture_is_read_back_and_replaced,
                derived_pictures_are_not_listed_as_blobs,
                derived_pictures_are_deleted_with_their_blob,
                keys_with_derived_pictures_are_listed_in_their_order;
        }
    };
    ($open:expr; $($module:ident: $($test:ident),+;)+) => {$($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $test() {
            let (fixture, _guard) = $open.await;
            $crate::blob::conformance::$module::$test(fixture).await;
        }
    )+)+};
}
pub(crate) use blob_suite;

/// Blobs, and the folder to create files for them in.
#[derive(Clone)]
pub(crate) struct Fixture {
    pub blobs: Arc<dyn Blobs>,
    pub temp_dir: PathBuf,
}

impl Fixture {
    pub fn file(&self, bytes: &[u8]) -> TempPath {
        let mut file = NamedTempFile::new_in(&self.temp_dir).unwrap();
        file.write_all(bytes).unwrap();
        file.into_temp_path()
    }

    pub async fn put(&self, key: ShortId, bytes: &[u8]) -> Result<(), BlobError> {
        self.blobs.put(key, self.file(bytes)).await
    }

    pub async fn read(&self, key: ShortId, range: Range<usize>) -> Result<Vec<u8>, BlobError> {
        let range = range.start as u64..range.end as u64;
        let chunks: Vec<_> = self.blobs.read(key, range).await?.try_collect().await?;
        Ok(chunks.concat())
    }
}

fn some_key() -> ShortId {
    let text = Alphanumeric.sample_string(&mut rand::rng(), 8);
    text.parse().unwrap()
}

fn some_bytes(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}
