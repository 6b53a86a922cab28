//! The pool of processes that check images: concurrency, fairness by address, and timeouts.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use server::admission::slots::NoSlot;
use server::config::{ImageLimits, PictureSpec};
use server::image::{
    DecodePool, ImageError, Inspected, MAX_CHECKS, MAX_UPLOADS, MAX_UPLOADS_PER_ADDRESS,
};
use tempfile::{NamedTempFile, TempDir, TempPath};
use tokio::time::{sleep, timeout};

use crate::{bomb, helpers};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

fn upload(name: &str) -> TempPath {
    let file = NamedTempFile::new().unwrap();
    fs::copy(helpers::path(name), file.path()).unwrap();
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

/// Returns the error for an image whose check runs this shell script.
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
    let slot = pool.upload_slot(address).unwrap();
    pool.inspect(&slot, input).await
}

#[tokio::test]
async fn the_result_is_in_the_given_directory_and_the_upload_is_removed() {
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

/// The memory limits must allow every accepted image.
#[tokio::test]
async fn every_sample_is_accepted_in_a_process_of_its_own() {
    let (pool, _directory) = pool();
    for (name, media_type, width, height) in helpers::SAMPLES {
        let (found, _) = inspect(&pool, HERE, upload(name)).await.unwrap();
        let found = (found.media_type, found.width, found.height);
        assert_eq!(found, (media_type, width, height), "{name}");
    }
    for (name, media_type, bytes) in helpers::codings() {
        let (found, _) = inspect(&pool, HERE, file(&bytes)).await.unwrap();
        assert_eq!(found.media_type, media_type, "{name}");
    }
}

#[tokio::test]
async fn a_refused_image_leaves_no_files() {
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
async fn an_image_that_needs_more_memory_than_announced_is_refused() {
    let (pool, directory) = pool();
    let webp = bomb::webp();
    assert!(webp.len() < 5 << 20);
    let refusal = inspect(&pool, HERE, file(&webp)).await.unwrap_err();
    assert!(refusal.to_string().contains("memory"), "{refusal}");
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn a_process_that_cannot_run_does_not_blame_the_image() {
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
async fn a_crash_of_the_process_means_a_damaged_image() {
    let headers = r#"echo '{"Headers":{"media_type":"image/png","memory":1}}'; read go"#;
    for end in ["kill -SEGV $$", "exit 101", "kill -ABRT $$"] {
        let refused = checked_by(&format!("{headers}; {end}")).await;
        assert_eq!(
            refused,
            ImageError::Damaged(app::model::MediaType::Png),
            "{end}"
        );
    }
    let refused = checked_by(&format!("{headers}; kill -XCPU $$")).await;
    assert!(refused.to_string().contains("too long"), "{refused}");
}

#[tokio::test]
async fn a_process_does_not_inherit_the_environment() {
    let script = r#"echo '{"Refused":"'"${CARGO_MANIFEST_DIR:-UnknownType}"'"}'"#;
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert_eq!(checked_by(script).await, ImageError::UnknownType);
}

#[tokio::test]
async fn upload_slots_are_limited_in_total_and_by_address() {
    let (pool, _directory) = pool();
    let slots: Vec<_> = (0..MAX_UPLOADS_PER_ADDRESS)
        .map(|_| pool.upload_slot(HERE).unwrap())
        .collect();
    assert_eq!(pool.upload_slot(HERE).err(), Some(NoSlot::Address));
    let others: Vec<_> = (0..MAX_UPLOADS - MAX_UPLOADS_PER_ADDRESS)
        .map(|n| pool.upload_slot(IpAddr::from([10, 0, 0, u8::try_from(n).unwrap()])))
        .collect();
    assert_eq!(pool.uploads(), MAX_UPLOADS);
    assert_eq!(pool.upload_slot(THERE).err(), Some(NoSlot::Node));
    drop(others);
    let checks = slots
        .iter()
        .map(|slot| pool.inspect(slot, upload("grey.jpg")));
    assert!(join_all(checks).await.iter().all(Result::is_ok));
    drop(slots);
    assert!(inspect(&pool, HERE, upload("grey.jpg")).await.is_ok());
}

#[tokio::test]
async fn an_address_with_many_slow_images_does_not_delay_others() {
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
    // Those that end while the small one is checked.
    assert!(before <= 2, "{before} were checked before");
}

#[tokio::test]
async fn the_time_of_a_check_is_reported_with_the_address() {
    let charged = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::clone(&charged);
    let (pool, _directory) = pool_of(stand_in());
    let pool = pool
        .on_time_spent(move |address, elapsed| recorder.lock().unwrap().push((address, elapsed)));
    let input = file(b"PATH=/bin:/usr/bin; sleep 0.2; exit 1");
    inspect(&pool, HERE, input).await.unwrap_err();
    let charged = charged.lock().unwrap();
    assert!(charged.iter().all(|(address, _)| *address == HERE));
    let elapsed: Duration = charged.iter().map(|(_, elapsed)| *elapsed).sum();
    assert!(elapsed >= Duration::from_millis(200), "{elapsed:?}");
}

#[tokio::test]
async fn an_image_that_waits_too_long_for_a_decoder_is_refused() {
    let (pool, directory) = pool();
    let busy = (1..=MAX_CHECKS).map(|n| {
        let address = IpAddr::from([10, 0, 0, u8::try_from(n).unwrap()]);
        inspect(&pool, address, upload("24-megapixels.jpg"))
    });
    let mut busy: Vec<_> = busy.map(Box::pin).collect();
    // They hold the decoders at least as long as they are decoded.
    for one in &mut busy {
        assert!(futures::poll!(one.as_mut()).is_pending());
    }
    let impatient = pool.clone().with_wait_timeout(Duration::ZERO);
    let input = upload("grey.jpg");
    let uploaded = input.to_path_buf();
    assert_eq!(
        inspect(&impatient, THERE, input).await.unwrap_err(),
        ImageError::Busy
    );
    assert!(!uploaded.exists());
    assert!(join_all(busy).await.iter().all(Result::is_ok));
    assert!(inspect(&impatient, THERE, upload("grey.jpg")).await.is_ok());
    assert_eq!(files(directory.path()), 0);
}

/// Not even one of the address whose image is resized.
#[tokio::test]
async fn an_upload_does_not_wait_while_an_image_is_resized() {
    let (pool, _directory) = pool();
    let resizer = pool.resizer(Some(HERE), Duration::ZERO).await.unwrap();
    let another = pool.resizer(Some(HERE), Duration::ZERO).await;
    assert_eq!(another.err(), Some(ImageError::Busy));
    assert!(pool.resizer(Some(THERE), Duration::ZERO).await.is_ok());
    let impatient = pool.clone().with_wait_timeout(Duration::ZERO);
    let checked = inspect(&impatient, HERE, upload("grey.jpg")).await;
    assert!(checked.is_ok());
    assert_eq!(pool.decoding(), 1);
    drop(resizer);
    assert_eq!(pool.decoding(), 0);
}

/// A script that asks for this memory, makes the file `begun` when it has it, and succeeds once `end` exists. Before it
/// asks, it makes another one with the suffix `.asks`.
fn script(mebibytes: u64, begun: &Path, end: &Path) -> TempPath {
    let memory = mebibytes << 20;
    let script = format!(
        r#"PATH=/bin:/usr/bin
        touch {begun}.asks
        echo '{{"Headers":{{"media_type":"image/png","memory":{memory}}}}}'
        read go
        touch {begun}
        while [ ! -e {end} ]; do sleep 0.01; done
        echo '{{"Inspected":{{"media_type":"image/png","width":1,"height":1,"size":1}}}}'"#,
        begun = begun.display(),
        end = end.display()
    );
    file(script.as_bytes())
}

#[tokio::test]
async fn an_image_to_be_resized_that_waits_for_memory_delays_no_upload() {
    let (pool, _directory) = pool_of(stand_in());
    let folder = TempDir::new().unwrap();
    let path = |name| folder.path().join(name);
    let never = path("never");
    let large = inspect(&pool, HERE, script(300, &path("large"), &never));
    let others = async {
        while !path("large").exists() {
            sleep(Duration::from_millis(5)).await;
        }
        let resizer = pool.resizer(None, Duration::from_secs(2)).await;
        let spec = PictureSpec::MaxWidth(640);
        let input = script(300, &path("resized"), &never);
        let mut resizing = Box::pin(resizer.unwrap().resize(input, spec));
        // Until it has asked for its memory, and a moment longer.
        while !path("resized.asks").exists() {
            let moment = timeout(Duration::from_millis(50), resizing.as_mut());
            assert!(moment.await.is_err());
        }
        let impatient = pool.clone().with_wait_timeout(Duration::from_millis(50));
        let input = script(1, &path("small"), folder.path());
        let small = inspect(&impatient, THERE, input).await;
        assert!(small.is_ok(), "{small:?}");
        assert_eq!(resizing.await.unwrap_err(), ImageError::Busy);
        assert!(!path("resized").exists());
    };
    tokio::select! {
        () = others => {}
        _ = large => panic!("it does not end"),
    }
}

#[tokio::test]
async fn cancelled_uploads_release_their_slots() {
    let (pool, directory) = pool();
    for _ in 0..3 {
        let all =
            (0..MAX_UPLOADS_PER_ADDRESS).map(|_| inspect(&pool, HERE, upload("animated.webp")));
        let mut all: Vec<_> = all.map(Box::pin).collect();
        // All are started and then dropped: one during its check, the others while they wait.
        for one in &mut all {
            assert!(futures::poll!(one.as_mut()).is_pending());
        }
        drop(all);
        assert_eq!(pool.uploads(), 0);
        // The decoder is free as soon as the cancelled check has ended.
        assert!(inspect(&pool, HERE, upload("grey.jpg")).await.is_ok());
    }
    // The last one may still be running.
    while files(directory.path()) > 0 {
        tokio::task::yield_now().await;
    }
}
