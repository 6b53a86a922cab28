use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::store::conformance::store_suite;
use crate::store::sqlite::SqliteStore;

store_suite!(async {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path()).unwrap());
    let coalesced: Arc<dyn Store> = Arc::new(Coalesced::new(store));
    (coalesced, folder)
});

/// Reads that are answered when they get a permit, with their number.
struct HeldReads {
    reads: Reads<u8, usize>,
    permits: Semaphore,
    begun: AtomicUsize,
}

impl HeldReads {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            reads: Reads::default(),
            permits: Semaphore::new(0),
            begun: AtomicUsize::new(0),
        })
    }

    async fn read(&self, key: u8) -> usize {
        let read = async || {
            let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            self.permits.acquire().await.unwrap().forget();
            Ok(number)
        };
        self.reads.join(key, read).await.unwrap()
    }

    /// Asks the same in a task of its own.
    fn ask(self: &Arc<Self>) -> JoinHandle<usize> {
        let held = Arc::clone(self);
        tokio::spawn(async move { held.read(0).await })
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    fn waiting(&self, key: u8) -> Option<usize> {
        lock(&self.reads.0).get(&key).map(VecDeque::len)
    }

    /// Waits until as many wait for the next read.
    async fn until_waiting(&self, count: usize) {
        let wait = async {
            while self.waiting(0) != Some(count) {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), wait).await.unwrap();
    }
}

#[tokio::test]
async fn a_thousand_equal_questions_are_two_reads_and_none_is_answered_by_an_earlier_one() {
    let held = HeldReads::new();
    let first = held.ask();
    held.until_waiting(0).await;
    let later: Vec<_> = (0..1_000).map(|_| held.ask()).collect();
    held.until_waiting(1_000).await;
    held.permits.add_permits(2);
    assert_eq!(first.await.unwrap(), 1);
    for answer in join_all(later).await {
        assert_eq!(answer.unwrap(), 2);
    }
    assert_eq!(held.begun(), 2);
    assert_eq!(held.waiting(0), None, "nothing is left behind");
}

#[tokio::test]
async fn different_questions_do_not_wait_for_each_other() {
    let held = HeldReads::new();
    held.permits.add_permits(2);
    let both = join_all([held.read(1), held.read(2)]);
    let answers = timeout(Duration::from_secs(10), both).await.unwrap();
    assert_eq!(answers.len(), 2);
}

#[tokio::test]
async fn those_who_wait_are_answered_when_the_one_who_reads_for_them_goes_away() {
    let held = HeldReads::new();
    let first = held.ask();
    held.until_waiting(0).await;
    let second = held.ask();
    held.until_waiting(1).await;
    let rest: Vec<_> = (0..20).map(|_| held.ask()).collect();
    held.until_waiting(21).await;
    // The first one goes before its read is done; the second one leads, and goes too.
    first.abort();
    held.until_waiting(0).await;
    assert_eq!(held.begun(), 2);
    second.abort();
    held.permits.add_permits(100);
    for answer in timeout(Duration::from_secs(10), join_all(rest))
        .await
        .unwrap()
    {
        assert!(answer.unwrap() >= 3);
    }
    assert_eq!(held.waiting(0), None, "nothing is left behind");
}
