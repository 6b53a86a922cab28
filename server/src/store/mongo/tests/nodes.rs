use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use futures::future::join_all;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::broker::memory::{MemoryBroker, MemoryBus};
use crate::config::HubIntervals;
use crate::hub::metrics::HubMetrics;
use crate::hub::posting::{PostError, Poster};
use crate::hub::{Hub, HubLimits};
use crate::store::{Appended, MAX_APPEND};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_nodes_start_at_once_on_an_empty_database() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let stores = join_all((0..5).map(|_| database.open())).await;
    let upload = stored(&stores[0]).await;
    for (n, store) in stores.iter().enumerate() {
        let appended = store.append(upload, drafts(&format!("node{n}"), 1)).await;
        assert!(matches!(appended.unwrap()[..], [Appended::New(_)]));
    }
    let mut unique = Vec::new();
    for name in ["uploads", "messages"] {
        let indexes = database
            .collection(name)
            .await
            .list_indexes()
            .await
            .unwrap();
        let indexes: Vec<_> = indexes.try_collect().await.unwrap();
        let uniques = indexes.into_iter().filter(|index| {
            let options = index.options.as_ref();
            options.is_some_and(|options| options.unique == Some(true))
        });
        unique
            .extend(uniques.map(|index| index.keys.keys().cloned().collect::<Vec<_>>().join(" ")));
    }
    unique.sort();
    let expected = ["shortID", "uploadID clientMessageID", "uploadID seq"];
    assert_eq!(unique, expected);
}

/// Appends to one upload through all nodes concurrently, and returns the results of each call.
async fn append_concurrently(stores: &[Arc<MongoStore>], upload: UploadId) -> Vec<Vec<Appended>> {
    let mut writers = JoinSet::new();
    for writer in 0..9 {
        let store = Arc::clone(&stores[writer % stores.len()]);
        writers.spawn(async move {
            let mut answers = Vec::new();
            for call in 0..4 {
                // Three are this call's own; two are posted through all nodes.
                let mut call = [
                    drafts(&format!("w{writer}c{call}"), 3),
                    drafts(&format!("all{call}"), 2),
                ]
                .concat();
                call.rotate_left(writer % 5);
                answers.push(store.append(upload, call).await.unwrap());
            }
            answers
        });
    }
    writers.join_all().await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appends_through_three_nodes_leave_no_hole_and_store_each_once() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let mut stores = Vec::new();
    for _ in 0..3 {
        stores.push(Arc::new(database.open().await));
    }
    let upload = stored(&stores[0]).await;
    let answers = append_concurrently(&stores, upload).await;
    let numbers: HashMap<_, _> = names(&stores[1], upload)
        .await
        .into_iter()
        .zip(1..)
        .collect();
    assert_eq!(numbers.len(), 9 * 4 * 3 + 4 * 2);
    let mut new = HashSet::new();
    for call in &answers {
        for answer in call {
            let message = match answer {
                Appended::New(message) => message,
                Appended::Known(known) => known.message().unwrap(),
            };
            let name = message.client_message_id.as_str();
            assert_eq!(numbers[name], message.seq.get());
            if matches!(answer, Appended::New(_)) {
                assert!(new.insert(name), "{name} is new to one call only");
            }
        }
        let own = call.iter().filter_map(|answer| match answer {
            Appended::New(message) => Some(message.seq),
            Appended::Known(_) => None,
        });
        assert!(own.is_sorted(), "in the drafts' order");
    }
    assert_eq!(new.len(), numbers.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn large_appends_of_several_nodes_leave_no_hole() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let upload = stored(&database.open().await).await;
    let mut nodes = JoinSet::new();
    for node in 0..3 {
        let store = database.open().await;
        nodes.spawn(async move {
            for call in 0..4 {
                let drafts = drafts(&format!("n{node}c{call}"), MAX_APPEND - 20);
                retry(|| store.append(upload, drafts.clone())).await;
            }
        });
    }
    nodes.join_all().await;
    let all = names(&database.open().await, upload).await;
    assert_eq!(all.len(), 3 * 4 * (MAX_APPEND - 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upload_and_its_messages_are_visible_at_once_through_every_node() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let (one, other) = (database.open().await, database.open().await);
    let upload = stored(&one).await;
    for n in 1..=10 {
        let (writer, reader) = if n % 2 == 0 {
            (&one, &other)
        } else {
            (&other, &one)
        };
        writer
            .append(upload, drafts(&format!("n{n}"), 1))
            .await
            .unwrap();
        let page = reader.entries(upload, Select::Newest, 1).await.unwrap();
        assert_eq!(page.head.get(), n);
        assert_eq!(page.entries[0].seq(), page.head);
    }
}

/// The parts of a node that post messages.
struct Node {
    poster: Poster,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Node {
    async fn start(database: &FreshDatabase, bus: &Arc<MemoryBus>) -> Self {
        let store: Arc<dyn Store> = Arc::new(database.open().await);
        let broker = Arc::new(MemoryBroker::new(Arc::clone(bus)));
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let limits = HubLimits {
            touches_per_second: 0,
            intervals: HubIntervals::default(),
        };
        let (its_store, its_tasks) = (Arc::clone(&store), tasks.clone());
        let hub = Hub::start(
            broker,
            its_store,
            limits,
            HubMetrics::default(),
            its_tasks,
            shutdown.clone(),
        );
        Self {
            poster: Poster::new(store, hub),
            tasks,
            shutdown,
        }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

const CLIENTS: usize = 60;
const POSTS: usize = 10;

/// Posts messages one after the other, repeating those that time out, as browsers do. Returns the longest time that one
/// took.
async fn post_messages(client: usize, poster: Poster, upload: UploadId) -> Duration {
    let mut slowest = Duration::ZERO;
    for n in 0..POSTS {
        let (start, message) = (Instant::now(), new_message(&format!("p{client}n{n}")));
        let post = || async {
            let answer = poster.post(upload, message.clone(), None).await;
            answer.map_err(|error| match error {
                PostError::Store(error) => error,
                PostError::Busy => panic!("{CLIENTS} posts are not too many"),
            })
        };
        retry(post).await;
        slowest = slowest.max(start.elapsed());
    }
    slowest
}

/// Prints how many posts a second it measured: `cargo test -p server --lib posts_to_three_nodes -- --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn posts_to_three_nodes_make_one_conversation_with_each_once() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let reader = database.open().await;
    let upload = stored(&reader).await;
    let bus = Arc::new(MemoryBus::default());
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Node::start(&database, &bus).await);
    }
    let start = Instant::now();
    let clients = (0..CLIENTS).map(|client| {
        let poster = nodes[client % 3].poster.clone();
        tokio::spawn(post_messages(client, poster, upload))
    });
    let took = join_all(clients).await.into_iter().map(Result::unwrap);
    let slowest = took.max().unwrap();
    let seconds = start.elapsed().as_secs_f32();
    let names = names(&reader, upload).await;
    let each: HashSet<_> = names.iter().collect();
    assert_eq!(
        (each.len(), names.len()),
        (CLIENTS * POSTS, CLIENTS * POSTS)
    );
    let each = u16::try_from(each.len()).unwrap();
    let rate = f32::from(each) / seconds;
    println!("{each} posts, {rate:.0} a second, the slowest in {slowest:?}");
    for node in nodes {
        node.stop().await;
    }
}
