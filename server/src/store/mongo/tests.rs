mod deletions;
mod documents;
mod lost;
mod nodes;
mod outage;
mod pairing;
mod proxy;
mod start;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread;

use app::model::{MessageId, NewMessage, Point, Seq, UploadId};
use mongodb::bson::Document;
use mongodb::{Client, Collection};
use testbed::Mongo;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::MongoStore;
use crate::config::{Config, Secret};
use crate::store::conformance::{moderation_suite, some_upload, store_suite};
use crate::store::{Draft, Select, Store, StoreError};

store_suite!(async {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let store: Arc<dyn Store> = Arc::new(database.open().await);
    (store, database)
});
moderation_suite!(async {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    (Arc::new(database.open().await), database)
});

/// Limits how many tests run at one time. They measure timeouts in seconds, and `FerretDB` lacks indexes and needs all
/// processors for some queries.
static CONCURRENT_TESTS: Semaphore = Semaphore::const_new(3);

/// A new database for one test, which is dropped with this.
struct FreshDatabase {
    name: String,
    url: String,
    _permit: SemaphorePermit<'static>,
}

impl FreshDatabase {
    async fn new(server: &Mongo) -> Self {
        let permit = CONCURRENT_TESTS.acquire().await.unwrap();
        let name = format!("test-{:016x}", rand::random::<u64>());
        let url = with_database(&server.url(), &name);
        Self {
            name,
            url,
            _permit: permit,
        }
    }

    /// Opens a node's store in it.
    async fn open(&self) -> MongoStore {
        MongoStore::open(&secret(&self.url)).await.unwrap()
    }

    /// Returns one of its collections.
    async fn collection(&self, name: &str) -> Collection<Document> {
        let client = Client::with_uri_str(&self.url).await.unwrap();
        client.database(&self.name).collection(name)
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        // After a failed test the server may be frozen.
        if thread::panicking() {
            return;
        }
        let (url, name) = (self.url.clone(), self.name.clone());
        let dropping = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let client = Client::with_uri_str(url).await.unwrap();
                client.database(&name).drop().await.unwrap();
            });
        });
        dropping.join().unwrap();
    }
}

/// Replaces the database of a connection string.
fn with_database(url: &str, name: &str) -> String {
    let (before, options) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = before.split_once("://").unwrap();
    let servers = rest.split('/').next().unwrap();
    format!("{scheme}://{servers}/{name}?{options}")
}

/// Returns the first server of a connection string.
fn address(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap();
    let servers = rest.split('/').next().unwrap();
    let server = servers.split(',').next().unwrap();
    server.rsplit('@').next().unwrap().to_owned()
}

fn secret(url: &str) -> Secret {
    let config = Config::from_env(&|name| (name == "MONGO_URL").then(|| url.into())).unwrap();
    config.shared.mongo_url.unwrap()
}

/// Inserts a new upload.
async fn stored(store: &MongoStore) -> UploadId {
    let upload = some_upload();
    let id = upload.id;
    store.insert_upload(upload, None).await.unwrap();
    id
}

fn new_message(client_message_id: &str) -> NewMessage {
    NewMessage {
        author_name: "someone".parse().unwrap(),
        content: "something".parse().unwrap(),
        client_message_id: client_message_id.parse().unwrap(),
        at: None,
        author: None,
    }
}

/// Makes drafts with the client ids `{prefix}-0`, `{prefix}-1` …; every second one has a place.
fn drafts(prefix: &str, count: usize) -> Vec<Draft> {
    (0..count)
        .map(|n| Draft {
            id: MessageId::from_bytes(rand::random()),
            message: NewMessage {
                at: (n % 2 == 1).then(|| Point::new(0.25, 0.5).unwrap()),
                ..new_message(&format!("{prefix}-{n}"))
            },
            created_at: "2026-11-24T12:00:00.123Z".parse().unwrap(),
            owner: None,
        })
        .collect()
}

/// Repeats a call until it succeeds: a busy machine may be too slow for some calls.
async fn retry<T, F: Future<Output = Result<T, StoreError>>>(mut call: impl FnMut() -> F) -> T {
    for _ in 0..20 {
        match call().await {
            Ok(answer) => return answer,
            Err(error) => assert_eq!(error, StoreError::Unavailable),
        }
    }
    panic!("the store stays unavailable");
}

/// Returns the client ids of all messages of a conversation, and checks that neither they nor their places have holes.
async fn names(store: &MongoStore, upload: UploadId) -> Vec<String> {
    let (mut names, mut places) = (Vec::new(), 0);
    loop {
        let last = Seq::new(names.len() as u64);
        let page = retry(|| store.entries(upload, Select::After(last), 500)).await;
        if page.entries.is_empty() {
            assert_eq!(page.head, last);
            return names;
        }
        for message in page.messages().cloned() {
            assert_eq!(message.seq.get(), names.len() as u64 + 1, "no hole");
            places += u32::from(message.at.is_some());
            assert_eq!(message.pin, message.at.and(NonZeroU32::new(places)));
            names.push(message.client_message_id.to_string());
        }
    }
}
