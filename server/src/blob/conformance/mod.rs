//! What every [`Blobs`] guarantees, as tests. A backend's tests call [`blob_suite`] with an expression that opens a
//! [`Fixture`]; each test uses keys of its own, so that the blobs may be shared and others may be there.

pub(crate) mod keys;
pub(crate) mod notes;
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

/// Makes a test of each guarantee. `$open` is a future of `(Fixture, guard)`; the guard is dropped at the end.
macro_rules! blob_suite {
    ($open:expr) => {
        $crate::blob::conformance::blob_suite! {
            $open;
            put:
                a_blob_reads_back_whole,
                the_file_is_consumed,
                a_taken_key_is_refused_and_its_blob_stays,
                one_of_many_racing_puts_gets_the_key,
                a_blob_shows_whole_or_not_at_all,
                a_dropped_put_leaves_the_blob_whole_or_absent;
            read:
                ranges_are_exact,
                pieces_are_bounded,
                many_read_at_once;
            keys:
                what_is_not_there_is_not_found,
                a_removed_blob_is_gone_and_its_key_free,
                letter_case_makes_another_key,
                blobs_are_listed_in_the_order_of_their_keys,
                the_blobs_answer_a_ping;
            notes:
                the_first_id_stays_and_is_no_blob,
                racing_pairs_of_one_id_agree,
                a_marked_blob_is_read_and_listed_as_before,
                an_earlier_mark_stays,
                marks_are_listed_in_the_order_of_their_keys;
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

/// Blobs, and where the files for them have to be made.
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
        let pieces: Vec<_> = self.blobs.read(key, range).await?.try_collect().await?;
        Ok(pieces.concat())
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
