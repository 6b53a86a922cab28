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
    let coalesced: Arc<dyn Store> = Arc::new(CoalescingStore::new(store));
    (coalesced, folder)
});

/// Reads that return their number once they get a permit.
struct HeldReads {
    reads: CoalescedReads<u8, usize>,
    permits: Semaphore,
    started: AtomicUsize,
}

impl HeldReads {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            reads: CoalescedReads::default(),
            permits: Semaphore::new(0),
            started: AtomicUsize::new(0),
        })
    }

    async fn read(&self, key: u8) -> usize {
        let read = async || {
            let number = self.started.fetch_add(1, Ordering::SeqCst) + 1;
            self.permits.acquire().await.unwrap().forget();
            Ok(number)
        };
        self.reads.read(key, read).await.unwrap()
    }

    /// Starts a read in a task of its own.
    fn spawn_read(self: &Arc<Self>) -> JoinHandle<usize> {
        let reads = Arc::clone(self);
        tokio::spawn(async move { reads.read(0).await })
    }

    fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    fn waiting(&self, key: u8) -> Option<usize> {
        lock(&self.reads.0).get(&key).map(VecDeque::len)
    }

    /// Waits until this many callers wait for the next read.
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
async fn a_thousand_concurrent_reads_make_two_calls_and_none_gets_an_older_result() {
    let reads = HeldReads::new();
    let first = reads.spawn_read();
    reads.until_waiting(0).await;
    let later: Vec<_> = (0..1_000).map(|_| reads.spawn_read()).collect();
    reads.until_waiting(1_000).await;
    reads.permits.add_permits(2);
    assert_eq!(first.await.unwrap(), 1);
    for result in join_all(later).await {
        assert_eq!(result.unwrap(), 2);
    }
    assert_eq!(reads.started(), 2);
    assert_eq!(reads.waiting(0), None, "no entry is left");
}

#[tokio::test]
async fn reads_with_different_keys_do_not_wait_for_each_other() {
    let reads = HeldReads::new();
    reads.permits.add_permits(2);
    let both = join_all([reads.read(1), reads.read(2)]);
    let answers = timeout(Duration::from_secs(10), both).await.unwrap();
    assert_eq!(answers.len(), 2);
}

#[tokio::test]
async fn waiting_callers_get_results_when_the_reading_one_is_cancelled() {
    let reads = HeldReads::new();
    let first = reads.spawn_read();
    reads.until_waiting(0).await;
    let second = reads.spawn_read();
    reads.until_waiting(1).await;
    let rest: Vec<_> = (0..20).map(|_| reads.spawn_read()).collect();
    reads.until_waiting(21).await;
    // The first one is cancelled during its read; the second one reads next, and is cancelled too.
    first.abort();
    reads.until_waiting(0).await;
    assert_eq!(reads.started(), 2);
    second.abort();
    reads.permits.add_permits(100);
    for result in timeout(Duration::from_secs(10), join_all(rest))
        .await
        .unwrap()
    {
        assert!(result.unwrap() >= 3);
    }
    assert_eq!(reads.waiting(0), None, "no entry is left");
}
