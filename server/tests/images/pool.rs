//! Pictures are decoded a few at a time; what is too much waits, and what waits too long in line is turned away.

use crate::kit;
use std::fs;
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use server::image::{DECODES, DecodePool, ImageError, Limits, WAITING};
use tempfile::{NamedTempFile, TempDir, TempPath};

fn upload(name: &str) -> TempPath {
    let file = NamedTempFile::new().unwrap();
    fs::copy(kit::path(name), file.path()).unwrap();
    file.into_temp_path()
}

fn files(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

fn pool() -> (DecodePool, TempDir) {
    let directory = TempDir::new().unwrap();
    (
        DecodePool::new(directory.path().to_owned(), Limits::default()),
        directory,
    )
}

#[tokio::test]
async fn the_result_lies_in_the_given_directory_and_the_upload_is_gone() {
    let (pool, directory) = pool();
    let input = upload("phone-rotated-gps.jpg");
    let uploaded = input.to_path_buf();
    let (found, served) = pool.inspect(input).await.unwrap();
    assert_eq!((found.width, found.height), (4032, 2688));
    assert_eq!(served.parent(), Some(directory.path()));
    assert_eq!(fs::metadata(&served).unwrap().len(), found.size);
    assert!(!uploaded.exists());
    drop(served);
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn a_refused_picture_leaves_nothing_behind() {
    let (pool, directory) = pool();
    let input = upload("README.md");
    let uploaded = input.to_path_buf();
    assert_eq!(
        pool.inspect(input).await.unwrap_err(),
        ImageError::UnknownType
    );
    assert!(!uploaded.exists());
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn as_many_as_may_wait_all_pass_and_one_more_is_turned_away() {
    let (pool, _directory) = pool();
    let results = join_all((0..=WAITING + DECODES).map(|_| pool.inspect(upload("grey.jpg")))).await;
    let refused: Vec<_> = results
        .iter()
        .filter_map(|result| result.as_ref().err())
        .collect();
    assert_eq!(refused, [&ImageError::Unavailable]);
    assert!(pool.inspect(upload("grey.jpg")).await.is_ok());
}

#[tokio::test]
async fn who_waits_too_long_for_a_turn_is_turned_away() {
    let (pool, directory) = pool();
    let busy = (0..DECODES).map(|_| pool.inspect(upload("24-megapixels.jpg")));
    let mut busy: Vec<_> = busy.map(Box::pin).collect();
    // They hold their turns until they are polled again, or at least for as long as they are decoded.
    for one in &mut busy {
        assert!(futures::poll!(one.as_mut()).is_pending());
    }
    let hasty = pool.clone().with_patience(Duration::ZERO);
    let input = upload("grey.jpg");
    let uploaded = input.to_path_buf();
    assert_eq!(
        hasty.inspect(input).await.unwrap_err(),
        ImageError::Unavailable
    );
    assert!(!uploaded.exists());
    assert!(join_all(busy).await.iter().all(Result::is_ok));
    assert!(hasty.inspect(upload("grey.jpg")).await.is_ok());
    assert_eq!(files(directory.path()), 0);
}

#[tokio::test]
async fn those_who_leave_give_up_their_places() {
    let (pool, directory) = pool();
    for _ in 0..3 {
        let all = (0..WAITING + DECODES).map(|_| pool.inspect(upload("animated.webp")));
        let mut all: Vec<_> = all.map(Box::pin).collect();
        // Each is begun, and all are dropped: two in the middle of their work, the others while they wait.
        for one in &mut all {
            assert!(futures::poll!(one.as_mut()).is_pending());
        }
        drop(all);
        // The turns are free again as soon as the two are through.
        assert!(pool.inspect(upload("grey.jpg")).await.is_ok());
    }
    // One of them may still be at work.
    while files(directory.path()) > 0 {
        tokio::task::yield_now().await;
    }
}
