use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

use app::model::UploadRef;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::*;

/// Starts a server for this test alone; `None` where `MONGO_URL` names one, which must not be frozen or killed.
fn own_server() -> Option<Mongo> {
    let server = Mongo::start().unwrap();
    server.is_own().then_some(server)
}

/// Makes every kind of call once, and returns whether all of them fail with `Unavailable` in time.
async fn all_calls_fail(store: &MongoStore, upload: UploadId, name: &str) -> bool {
    let start = Instant::now();
    let answers = tokio::join!(
        async { store.insert_upload(some_upload(), None).await.err() },
        async { store.upload(UploadRef::Id(upload)).await.err() },
        async { store.append(upload, drafts(name, 5)).await.err() },
        async { store.entries(upload, Select::Newest, 9).await.err() },
        async { store.ping().await.err() },
    );
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    let (one, two, three, four, five) = answers;
    [one, two, three, four, five]
        .into_iter()
        .all(|error| error == Some(StoreError::Unavailable))
}

/// Waits until the store answers again.
async fn wait_until_available(store: &MongoStore) {
    let answers = async {
        while store.ping().await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(10), answers).await.unwrap();
}

/// How many clients call while the server is frozen, and how often: for longer than the driver needs to notice.
const CLIENTS: usize = 30;
const ROUNDS: usize = 3;

/// Returns the most connections to the server at one time while `over` runs.
async fn most_connections<T>(server: &Mongo, over: impl Future<Output = T>) -> usize {
    let mut most = 0;
    let count = async {
        loop {
            most = most.max(connections(server));
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = count => {}
        _ = over => {}
    }
    most
}

/// Counts this machine's connections to the server that are open or opening.
fn connections(server: &Mongo) -> usize {
    let port: u16 = address(&server.url())
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let is_to_server = |line: &&str| {
        let mut words = line.split_whitespace().skip(2);
        let is_remote = words.next().unwrap().ends_with(&format!(":{port:04X}"));
        is_remote && ["01", "02"].contains(&words.next().unwrap())
    };
    table.lines().skip(1).filter(is_to_server).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_frozen_server_is_reported_in_time_and_nothing_is_lost_or_duplicated() {
    let Some(server) = own_server() else { return };
    let database = FreshDatabase::new(&server).await;
    let store = Arc::new(database.open().await);
    let upload = stored(&store).await;
    store.append(upload, drafts("before", 3)).await.unwrap();
    server.freeze().unwrap();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let store = Arc::clone(&store);
        clients.spawn(async move {
            for n in 0..ROUNDS {
                assert!(all_calls_fail(&store, upload, &format!("p{client}n{n}")).await);
            }
        });
    }
    let most = most_connections(&server, clients.join_all()).await;
    assert!(most < 50, "{most} connections");
    server.thaw().unwrap();
    wait_until_available(&store).await;
    for client in 0..CLIENTS {
        for n in 0..ROUNDS {
            let name = format!("p{client}n{n}");
            store.append(upload, drafts(&name, 5)).await.unwrap();
        }
    }
    let names = names(&store, upload).await;
    let each: HashSet<_> = names.iter().collect();
    let expected = 3 + CLIENTS * ROUNDS * 5;
    assert_eq!((names.len(), each.len()), (expected, expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_restarted_server_has_everything_that_was_acknowledged() {
    let Some(server) = own_server() else { return };
    let database = FreshDatabase::new(&server).await;
    let store = database.open().await;
    let upload = stored(&store).await;
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let drafts = drafts(&format!("round{round}"), 4);
        acknowledged.extend(drafts.iter().map(|it| it.client_message_id().to_string()));
        store.append(upload, drafts).await.unwrap();
        server.kill().unwrap();
        assert!(all_calls_fail(&store, upload, &format!("away{round}")).await);
        server.restart().unwrap();
        wait_until_available(&store).await;
    }
    assert_eq!(names(&store, upload).await, acknowledged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_closed_store_refuses_calls() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let store = database.open().await;
    let upload = stored(&store).await;
    store.close().await;
    store.close().await;
    assert!(all_calls_fail(&store, upload, "late").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn closing_the_store_waits_for_the_writes_under_way() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let store = Arc::new(database.open().await);
    let upload = stored(&store).await;
    let appends: Vec<_> = (0..5)
        .map(|call| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.append(upload, drafts(&format!("c{call}"), 3)).await })
        })
        .collect();
    let first = store.append(upload, drafts("first", 1)).await;
    store.close().await;
    let mut done = usize::from(first.is_ok());
    for append in appends {
        done += append.await.unwrap().map_or(0, |appended| appended.len());
    }
    assert!(done > 0);
    assert_eq!(names(&database.open().await, upload).await.len(), done);
}
