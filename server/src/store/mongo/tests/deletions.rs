//! Deletions that end half-way, or meet others.

mod intents;

use std::time::Duration;

use app::model::LogEntry;
use futures::TryStreamExt;
use futures::future::join_all;
use mongodb::bson::doc;
use tempfile::tempdir;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::proxy::{Fault, Proxy};
use super::*;
use crate::app::remover::Remover;
use crate::blob::directory::DirectoryBlobs;
use crate::broker::memory::{MemoryBroker, MemoryBus};
use crate::broker::{Broker, Deliver, Frame};
use crate::clock;
use crate::config::HubIntervals;
use crate::hub::metrics::HubMetrics;
use crate::hub::{Hub, HubLimits};
use crate::store::{Appended, Deleted, DeletionDraft, SecretHash};

const OWNER: SecretHash = SecretHash::from_bytes([7; 32]);

/// A deletion that has long been abandoned, if it is not finished.
fn old_deletion() -> DeletionDraft {
    DeletionDraft {
        id: MessageId::from_bytes(rand::random()),
        created_at: "2026-11-25T12:00:00.456Z".parse().unwrap(),
    }
}

async fn delete(store: &MongoStore, upload: UploadId, seq: u64) -> Result<Deleted, StoreError> {
    let (by, draft) = (Some(OWNER).into(), old_deletion());
    store
        .delete_message(upload, Seq::new(seq).into(), by, draft)
        .await
}

/// Inserts an upload of the owner, with three messages. The second one has a place and a tag.
async fn conversation(store: &MongoStore) -> UploadId {
    let upload = some_upload();
    let id = upload.id;
    store.insert_upload(upload, Some(OWNER)).await.unwrap();
    let mut drafts = drafts("m", 3);
    drafts[1].message.author = "ldkulx5sv2".parse().ok();
    store.append(id, drafts).await.unwrap();
    id
}

async fn log(store: &MongoStore, upload: UploadId) -> Vec<LogEntry> {
    let page = retry(|| store.entries(upload, Select::After(Seq::ZERO), 500)).await;
    page.entries
}

/// A deletion of the second message by a node that ended before one of the steps.
struct Interrupted {
    database: FreshDatabase,
    /// Another node.
    other: MongoStore,
    upload: UploadId,
    draft: DeletionDraft,
}

impl Interrupted {
    async fn before(command: &str, collection: &str, draft: DeletionDraft) -> Self {
        let server = testbed::shared::mongo();
        let (database, proxy) = (FreshDatabase::new(server).await, Proxy::start(server).await);
        let (node, other) = (proxy.open(&database).await, database.open().await);
        let upload = conversation(&other).await;
        proxy.arm_at(command, collection, Fault::Ends);
        // Whether it succeeds depends on the step.
        let by = Some(OWNER).into();
        let _ = node
            .delete_message(upload, Seq::new(2).into(), by, draft)
            .await;
        assert_eq!(node.ping().await, Err(StoreError::Unavailable), "the fault");
        Self {
            database,
            other,
            upload,
            draft,
        }
    }

    /// Checks that the message is deleted as the node that ended has begun it, and that nothing else is left.
    async fn assert_finished(&self) {
        let log = log(&self.other, self.upload).await;
        let [
            _,
            LogEntry::DeletedMessage(message),
            _,
            LogEntry::Deletion(deletion),
        ] = log[..]
        else {
            panic!("{log:?}");
        };
        assert_eq!((deletion.seq, deletion.deletes), (Seq::new(4), Seq::new(2)));
        assert_eq!(deletion.id, self.draft.id);
        assert_eq!(deletion.created_at, self.draft.created_at);
        assert_eq!(message.deleted_at, self.draft.created_at);
        let messages = self.database.collection("messages").await;
        let second = messages.find_one(doc! { "seq": 2_i64 }).await.unwrap();
        let second = second.unwrap();
        for field in ["anonName", "content", "author", "at"] {
            assert!(!second.contains_key(field), "{second}");
        }
        assert_eq!(self.intents().await, 0);
        assert_eq!(self.other.finish_deletions(9).await, Ok(vec![]));
    }

    /// Counts the recorded intents.
    async fn intents(&self) -> usize {
        let intents = self.database.collection("deletions").await;
        let intents: Vec<_> = intents
            .find(doc! {})
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        intents.len()
    }

    /// Checks that another node finishes it, and returns the entry to be published.
    async fn assert_another_node_finishes_it(&self) {
        let finished = self.other.finish_deletions(9).await.unwrap();
        let ids: Vec<_> = finished.iter().map(|deletion| deletion.id).collect();
        assert_eq!(ids, [self.draft.id]);
        self.assert_finished().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_that_ended_before_it_was_recorded_has_not_happened() {
    let deletion = Interrupted::before("insert", "deletions", old_deletion()).await;
    assert_eq!(deletion.other.finish_deletions(9).await, Ok(vec![]));
    assert_eq!(names(&deletion.other, deletion.upload).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_that_ended_before_the_text_was_removed_is_finished() {
    let deletion = Interrupted::before("update", "messages", old_deletion()).await;
    assert_eq!(names(&deletion.other, deletion.upload).await.len(), 3);
    deletion.assert_another_node_finishes_it().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_that_ended_before_its_entry_was_appended_is_finished() {
    let deletion = Interrupted::before("insert", "messages", old_deletion()).await;
    let log = log(&deletion.other, deletion.upload).await;
    assert_eq!(log.len(), 3);
    assert!(matches!(log[1], LogEntry::DeletedMessage(_)), "{log:?}");
    deletion.assert_another_node_finishes_it().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_that_ended_before_it_was_forgotten_is_finished() {
    let deletion = Interrupted::before("delete", "deletions", old_deletion()).await;
    assert_eq!(deletion.intents().await, 1);
    deletion.assert_another_node_finishes_it().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_repeated_deletion_finishes_the_first_one() {
    let draft = DeletionDraft {
        created_at: clock::now(),
        ..old_deletion()
    };
    let deletion = Interrupted::before("insert", "messages", draft).await;
    let (other, upload) = (&deletion.other, deletion.upload);
    let nothing = other.finish_deletions(9).await;
    assert_eq!(nothing, Ok(vec![]), "its node may still work on it");
    assert_eq!(delete(other, upload, 2).await, Ok(Deleted::Already));
    deletion.assert_finished().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_interrupted_deletion_in_an_upload_that_is_gone_is_dropped() {
    let deletion = Interrupted::before("insert", "messages", old_deletion()).await;
    let (other, upload) = (&deletion.other, deletion.upload);
    let deleted = other
        .delete_upload(upload, Some(OWNER).into(), clock::now())
        .await;
    assert_eq!(deleted, Ok(()));
    assert_eq!(deletion.intents().await, 1);
    assert_eq!(other.finish_deletions(9).await, Ok(vec![]));
    assert_eq!(deletion.intents().await, 0);
}

/// Passes on the texts of frames.
struct Receiver(mpsc::UnboundedSender<String>);

impl Deliver for Receiver {
    fn deliver(&self, _topic: UploadId, frame: Frame) {
        self.0.send(frame.text.to_string()).unwrap();
    }

    fn interrupted(&self) {}

    fn repaired(&self) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn watchers_are_told_of_a_deletion_that_another_node_has_begun() {
    let deletion = Interrupted::before("insert", "messages", old_deletion()).await;
    let (sender, mut frames) = mpsc::unbounded_channel();
    let bus = Arc::new(MemoryBus::default());
    let watcher = MemoryBroker::new(Arc::clone(&bus));
    watcher.attach(Arc::new(Receiver(sender)));
    watcher.subscribe(deletion.upload).await.unwrap();
    let folder = tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(deletion.database.open().await);
    let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
    let limits = HubLimits {
        touches_per_second: 0,
        intervals: HubIntervals::default(),
    };
    let hub = Hub::start(
        Arc::new(MemoryBroker::new(bus)),
        Arc::clone(&store),
        limits,
        HubMetrics::default(),
        tasks.clone(),
        stopping.clone(),
    );
    let removals = Arc::new(Notify::new());
    // It need not wait for its interval.
    removals.notify_one();
    let remover = Remover {
        store,
        hub,
        blobs: Arc::new(DirectoryBlobs::open(folder.path()).unwrap()),
        removals,
    };
    tasks.spawn(remover.run(stopping.clone()));
    let frame = timeout(Duration::from_secs(10), frames.recv()).await;
    let frame = frame.unwrap().unwrap();
    let id = deletion.draft.id.to_string();
    assert!(
        frame.contains("messageDeleted") && frame.contains(&id),
        "{frame}"
    );
    deletion.assert_finished().await;
    stopping.cancel();
    tasks.close();
    tasks.wait().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_delete_a_message_at_once_make_one_entry() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let nodes = join_all((0..3).map(|_| database.open())).await;
    let upload = conversation(&nodes[0]).await;
    for seq in 1..=3 {
        let calls = nodes.iter().map(|node| delete(node, upload, seq));
        let answers = join_all(calls).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let is_new = |answer: &&Result<_, _>| matches!(answer, Ok(Deleted::New(_)));
        assert_eq!(answers.iter().filter(is_new).count(), 1, "{answers:?}");
        let log = log(&nodes[0], upload).await;
        assert_eq!(log.len() as u64, 3 + seq, "{log:?}");
        let Some(LogEntry::Deletion(deletion)) = log.last() else {
            panic!("{log:?}");
        };
        assert!(answers.contains(&Ok(Deleted::New(*deletion))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_is_seen_through_every_node_at_once() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let (one, other) = (database.open().await, database.open().await);
    let upload = conversation(&one).await;
    delete(&other, upload, 2).await.unwrap();
    // This node remembers the head before the deletion.
    let appended = one.append(upload, drafts("next", 1)).await.unwrap();
    assert!(matches!(&appended[..], [Appended::New(next)] if next.seq == Seq::new(5)));
    let deleted = other
        .delete_upload(upload, Some(OWNER).into(), clock::now())
        .await;
    assert_eq!(deleted, Ok(()));
    let late = one.append(upload, drafts("late", 1)).await;
    assert_eq!(late, Err(StoreError::Gone));
    let page = one.entries(upload, Select::Newest, 9).await;
    assert_eq!(page, Err(StoreError::Gone));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_message_that_arrives_after_the_log_was_removed_is_removed_too() {
    let server = testbed::shared::mongo();
    let (database, proxy) = (FreshDatabase::new(server).await, Proxy::start(server).await);
    let (late, other) = (proxy.open(&database).await, database.open().await);
    let upload = conversation(&other).await;
    proxy.arm(Fault::Holds);
    let undecided = late.append(upload, drafts("late", 1)).await;
    assert_eq!(undecided, Err(StoreError::Unavailable));
    let deleted = other
        .delete_upload(upload, Some(OWNER).into(), clock::now())
        .await;
    assert_eq!(deleted, Ok(()));
    assert_eq!(other.remove_log(upload, 9).await, Ok(3));
    proxy.release().await;
    let removals = other.removals(9).await.unwrap();
    assert_eq!(removals.len(), 1, "the log is looked at again");
    assert_eq!(other.remove_log(upload, 9).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_place_counts_when_messages_of_an_earlier_version_follow_it() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let store = database.open().await;
    let upload = conversation(&store).await;
    let messages = database.collection("messages").await;
    let unset = doc! { "$unset": { "places": "" } };
    let last = doc! { "seq": 3_i64 };
    messages.update_one(last, unset).await.unwrap();
    delete(&database.open().await, upload, 2).await.unwrap();
    let next = drafts("next", 2).split_off(1);
    let appended = store.append(upload, next).await.unwrap();
    assert!(matches!(&appended[..], [Appended::New(next)] if next.pin == NonZeroU32::new(2)));
}
