use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

use app::model::UploadRef;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::*;

/// A server of the test's own; none where `MONGO_URL` names one, which is not ours to freeze or to end.
fn own_server() -> Option<Mongo> {
    let server = Mongo::start().unwrap();
    server.is_own().then_some(server)
}

/// Every call there is, once; whether all of them say that the store is away, in time.
async fn is_away(store: &MongoStore, upload: UploadId, name: &str) -> bool {
    let start = Instant::now();
    let answers = tokio::join!(
        async { store.insert_upload(some_upload()).await.err() },
        async { store.upload(UploadRef::Id(upload)).await.err() },
        async { store.append(upload, drafts(name, 5)).await.err() },
        async { store.messages(upload, Select::Newest, 9).await.err() },
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
async fn is_back(store: &MongoStore) {
    let answers = async {
        while store.ping().await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(10), answers).await.unwrap();
}

/// Those who meet a frozen server, and how often: for longer than the driver needs to notice.
const PEOPLE: usize = 30;
const ROUNDS: usize = 3;

/// The most connections to the server at one time, until this is over.
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

/// Connections of this machine to the server that are open or opening.
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
async fn a_frozen_server_is_away_in_time_and_nothing_is_lost_or_doubled_after_the_thaw() {
    let Some(server) = own_server() else { return };
    let fresh = Fresh::new(&server).await;
    let store = Arc::new(fresh.open().await);
    let upload = stored(&store).await;
    store.append(upload, drafts("before", 3)).await.unwrap();
    server.freeze().unwrap();
    let mut people = JoinSet::new();
    for person in 0..PEOPLE {
        let store = Arc::clone(&store);
        people.spawn(async move {
            for n in 0..ROUNDS {
                assert!(is_away(&store, upload, &format!("p{person}n{n}")).await);
            }
        });
    }
    let most = most_connections(&server, people.join_all()).await;
    assert!(most < 50, "{most} connections");
    server.thaw().unwrap();
    is_back(&store).await;
    for person in 0..PEOPLE {
        for n in 0..ROUNDS {
            let name = format!("p{person}n{n}");
            store.append(upload, drafts(&name, 5)).await.unwrap();
        }
    }
    let names = names(&store, upload).await;
    let each: HashSet<_> = names.iter().collect();
    let expected = 3 + PEOPLE * ROUNDS * 5;
    assert_eq!((names.len(), each.len()), (expected, expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_server_is_away_and_has_everything_when_it_is_back() {
    let Some(server) = own_server() else { return };
    let fresh = Fresh::new(&server).await;
    let store = fresh.open().await;
    let upload = stored(&store).await;
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let drafts = drafts(&format!("round{round}"), 4);
        acknowledged.extend(drafts.iter().map(|it| it.client_message_id().to_string()));
        store.append(upload, drafts).await.unwrap();
        server.kill().unwrap();
        assert!(is_away(&store, upload, &format!("away{round}")).await);
        server.restart().unwrap();
        is_back(&store).await;
    }
    assert_eq!(names(&store, upload).await, acknowledged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_closed_store_refuses_calls() {
    let fresh = Fresh::new(testbed::shared::mongo()).await;
    let store = fresh.open().await;
    let upload = stored(&store).await;
    store.close().await;
    store.close().await;
    assert!(is_away(&store, upload, "late").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writes_under_way_are_done_before_the_store_closes() {
    let fresh = Fresh::new(testbed::shared::mongo()).await;
    let store = Arc::new(fresh.open().await);
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
    assert_eq!(names(&fresh.open().await, upload).await.len(), done);
}
