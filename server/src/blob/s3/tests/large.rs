//! What is sent in parts.

use rand::Rng;
use tokio::task::JoinSet;

use super::kit::open;
use crate::blob::BlobError;
use crate::blob::s3::put::PART;

const PART_LEN: usize = 8 << 20;
const _: () = assert!(PART == PART_LEN as u64);

fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_of_many_parts_is_the_same_whole_and_in_ranges() {
    let (fixture, _folder) = open().await;
    let key = crate::ids::short_id();
    let bytes = noise(2 * PART_LEN + 4_000_001);
    fixture.put(key, &bytes).await.unwrap();
    let len = bytes.len();
    for range in [
        0..len,
        0..1,
        PART_LEN - 1..PART_LEN + 1,
        PART_LEN..2 * PART_LEN,
        PART_LEN - 70_000..2 * PART_LEN + 70_000,
        len - 1..len,
    ] {
        let read = fixture.read(key, range.clone()).await.unwrap();
        assert!(read == bytes[range.clone()], "{range:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_around_that_of_a_part_are_kept_whole() {
    let (fixture, _folder) = open().await;
    for len in [PART_LEN - 1, PART_LEN, PART_LEN + 1, 2 * PART_LEN] {
        let (key, bytes) = (crate::ids::short_id(), noise(len));
        fixture.put(key, &bytes).await.unwrap();
        assert!(fixture.read(key, 0..len).await.unwrap() == bytes, "{len}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_racing_uploads_in_parts_gets_the_key() {
    let (fixture, _folder) = open().await;
    let key = crate::ids::short_id();
    let mut racers = JoinSet::new();
    for racer in 0..3_u8 {
        let fixture = fixture.clone();
        racers.spawn(async move {
            let bytes = vec![racer; PART_LEN + 1];
            (racer, fixture.put(key, &bytes).await)
        });
    }
    let ends = racers.join_all().await;
    let won: Vec<_> = ends.iter().filter(|(_, end)| end.is_ok()).collect();
    let taken = Err(BlobError::AlreadyExists);
    let refused = ends.iter().filter(|(_, end)| *end == taken).count();
    assert_eq!((won.len(), refused), (1, 2), "{ends:?}");
    let read = fixture.read(key, 0..PART_LEN + 1).await.unwrap();
    assert!(read == vec![won[0].0; PART_LEN + 1]);
}
