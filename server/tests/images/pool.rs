//! Pictures are checked a few at a time, each in a process of its own; addresses share the decoders, and what waits too
//! long in line is turned away.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use server::admission::slots::NoSlot;
use server::config::ImageLimits;
use server::image::{DECODES, DecodePool, ImageError, Inspected, UPLOADS, UPLOADS_PER_ADDRESS};
use tempfile::{NamedTempFile, TempDir, TempPath};

use crate::{bomb, kit};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

fn upload(name: &str) -> TempPath {
    let file = NamedTempFile::new().unwrap();
    fs::copy(kit::path(name), file.path()).unwrap();
    file.into_temp_path()
}

fn file(bytes: &[u8]) -> TempPath {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file.into_temp_path()
}

fn files(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

fn pool_of(program: PathBuf) -> (DecodePool, TempDir) {
    let directory = TempDir::new().unwrap();
    let output = directory.path().to_owned();
    (
        DecodePool::new(program, output, ImageLimits::default()),
        directory,
    )
}

fn pool() -> (DecodePool, TempDir) {
    pool_of(env!("CARGO_BIN_EXE_tonesa").into())
}

/// What comes of a picture whose check does what this shell script does.
async fn checked_by(script: &str) -> ImageError {
    let (pool, _directory) = pool_of(stand_in());
    let input = file(script.as_bytes());
    inspect(&pool, HERE, input).await.unwrap_err()
}

fn stand_in() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/child.sh")
}

async fn inspect(
    pool: &DecodePool,
    address: IpAddr,
    input: TempPath,
) -> Result<(Inspected, TempPath), ImageError> {
    let place = pool.place(address).unwrap();
    pool.inspect(&place, input).await
}

#[tokio::test]
async fn the_result_lies_in_the_given_directory_and_the_upload_is_gone() {
    let (pool, directory) = pool();
    let input = upload("phone-rotated-gps.jpg");
    let uploaded = input.to_path_buf();
    let (found, served) = inspect(&pool, HERE, input).await.unwrap();
    assert_eq!((found.width, found.height), (4032, 2688));
    assert_eq!(served.parent(), Some(directory.path()));
    assert_eq!(fs::metadata(&served).unwrap().len(), found.size);
    assert!(!uploaded.exists());
    drop(served);
    assert_eq!(files(directory.path()), 0);
}

/// The limits of memory leave room for whatever is taken.
#[tokio::test]
async fn every_sample_passes_in_a_process_of_its_own() {
    let (pool, _directory) = pool();
    for (name, media_type, width, height) in kit::SAMPLES {
        let (found, _) = inspect(&pool, HERE, upload(name)).await.unwrap();
        let found = (found.media_type, found.width, found.height);
        assert_eq!(found, (media_type, width, height), "{name}");
    }
    for (name, media_type, bytes) in kit::codings() {
        let (found, _) = inspect(&pool, HERE, file(&bytes)).await.unwrap();
        assert_eq!(found.media_type, media_type, "{name}");
    }
}

#[tokio::test]
async fn a_refused_picture_leaves_nothing_behind() {
    let (pool, directory) = pool();
    let input = upload("README.md");
    let uploaded = input.to_path_buf();
    assert_eq!(
        inspect(&pool, HERE, input).await.unwrap_err(),
        ImageError::UnknownType
    );
    assert!(!uploaded.exists());
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn a_picture_whose_decoder_wants_more_memory_than_its_headers_say_is_refused() {
    let (pool, directory) = pool();
    let webp = bomb::webp();
    assert!(webp.len() < 5 << 20);
    let refusal = inspect(&pool, HERE, file(&webp)).await.unwrap_err();
    assert!(refusal.to_string().contains("memory"), "{refusal}");
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn a_process_that_cannot_run_says_nothing_of_the_picture() {
    for script in [
        "exit 1",
        "kill -TERM $$",
        "echo no report; exit 0",
        "echo 'no reason' >&2; kill -KILL $$",
    ] {
        assert_eq!(
            checked_by(script).await,
            ImageError::Unavailable,
            "{script}"
        );
    }
    let (pool, _directory) = pool_of("/no/such/program".into());
    let refused = inspect(&pool, HERE, upload("grey.jpg")).await.unwrap_err();
    assert_eq!(refused, ImageError::Unavailable);
}

#[tokio::test]
async fn a_process_that_crashes_damns_its_picture() {
    let surveyed = r#"echo '{"Surveyed":{"media_type":"image/png","memory":1}}'; read go"#;
    for end in ["kill -SEGV $$", "exit 101", "kill -ABRT $$"] {
        let refused = checked_by(&format!("{surveyed}; {end}")).await;
        assert_eq!(refused, ImageError::Damaged("PNG"), "{end}");
    }
    let refused = checked_by(&format!("{surveyed}; kill -XCPU $$")).await;
    assert!(refused.to_string().contains("too long"), "{refused}");
}

#[tokio::test]
async fn a_process_sees_nothing_of_the_nodes_environment() {
    let tell = r#"echo '{"Refused":{"TooLarge":"'"${CARGO_MANIFEST_DIR:-nothing}"'"}}'"#;
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert_eq!(
        checked_by(tell).await,
        ImageError::TooLarge("nothing".to_owned())
    );
}

#[tokio::test]
async fn places_are_bounded_in_all_and_by_address_and_all_who_have_one_pass() {
    let (pool, _directory) = pool();
    let places: Vec<_> = (0..UPLOADS_PER_ADDRESS)
        .map(|_| pool.place(HERE).unwrap())
        .collect();
    assert_eq!(pool.place(HERE).err(), Some(NoSlot::Address));
    let others: Vec<_> = (0..UPLOADS - UPLOADS_PER_ADDRESS)
        .map(|n| pool.place(IpAddr::from([10, 0, 0, u8::try_from(n).unwrap()])))
        .collect();
    assert_eq!(pool.uploads(), UPLOADS);
    assert_eq!(pool.place(THERE).err(), Some(NoSlot::Node));
    drop(others);
    let checks = places
        .iter()
        .map(|place| pool.inspect(place, upload("grey.jpg")));
    assert!(join_all(checks).await.iter().all(Result::is_ok));
    drop(places);
    assert!(inspect(&pool, HERE, upload("grey.jpg")).await.is_ok());
}

#[tokio::test]
async fn an_address_with_many_slow_pictures_makes_no_other_wait() {
    let (pool, _directory) = pool();
    let done = AtomicUsize::new(0);
    let slow = (0..10).map(|_| async {
        inspect(&pool, HERE, upload("24-megapixels.jpg"))
            .await
            .unwrap();
        done.fetch_add(1, Ordering::Relaxed);
    });
    let mut slow: Vec<_> = slow.map(Box::pin).collect();
    for one in &mut slow {
        assert!(futures::poll!(one.as_mut()).is_pending());
    }
    let other = async {
        inspect(&pool, THERE, upload("grey.jpg")).await.unwrap();
        done.load(Ordering::Relaxed)
    };
    let (before, _) = futures::join!(other, join_all(slow));
    // Those that end while the small one is looked at.
    assert!(before <= 2, "{before} went before");
}

#[tokio::test]
async fn what_a_check_took_is_told_with_its_address_also_of_a_refused_picture() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let (pool, _directory) = pool_of(stand_in());
    let pool = pool.charging(move |address, took| teller.lock().unwrap().push((address, took)));
    let input = file(b"PATH=/bin:/usr/bin; sleep 0.2; exit 1");
    inspect(&pool, HERE, input).await.unwrap_err();
    let told = told.lock().unwrap();
    assert!(told.iter().all(|(address, _)| *address == HERE));
    let took: Duration = told.iter().map(|(_, took)| *took).sum();
    assert!(took >= Duration::from_millis(200), "{took:?}");
}

#[tokio::test]
async fn who_waits_too_long_for_a_turn_is_turned_away() {
    let (pool, directory) = pool();
    let busy = (1..=DECODES).map(|n| {
        let address = IpAddr::from([10, 0, 0, u8::try_from(n).unwrap()]);
        inspect(&pool, address, upload("24-megapixels.jpg"))
    });
    let mut busy: Vec<_> = busy.map(Box::pin).collect();
    // They hold their turns until they are polled again, or at least for as long as they are decoded.
    for one in &mut busy {
        assert!(futures::poll!(one.as_mut()).is_pending());
    }
    let hasty = pool.clone().with_patience(Duration::ZERO);
    let input = upload("grey.jpg");
    let uploaded = input.to_path_buf();
    assert_eq!(
        inspect(&hasty, THERE, input).await.unwrap_err(),
        ImageError::Unavailable
    );
    assert!(!uploaded.exists());
    assert!(join_all(busy).await.iter().all(Result::is_ok));
    assert!(inspect(&hasty, THERE, upload("grey.jpg")).await.is_ok());
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn those_who_leave_give_up_their_places() {
    let (pool, directory) = pool();
    for _ in 0..3 {
        let all = (0..UPLOADS_PER_ADDRESS).map(|_| inspect(&pool, HERE, upload("animated.webp")));
        let mut all: Vec<_> = all.map(Box::pin).collect();
        // Each is begun, and all are dropped: one in the middle of its work, the others while they wait.
        for one in &mut all {
            assert!(futures::poll!(one.as_mut()).is_pending());
        }
        drop(all);
        assert_eq!(pool.uploads(), 0);
        // The turn is free again as soon as that one is through.
        assert!(inspect(&pool, HERE, upload("grey.jpg")).await.is_ok());
    }
    // The last one may still be at work.
    while files(directory.path()) > 0 {
        tokio::task::yield_now().await;
    }
}
