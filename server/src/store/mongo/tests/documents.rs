use std::io;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard};

use app::model::{Point, UploadRef};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::ElementType;
use mongodb::bson::{Bson, DateTime, doc};

use super::*;
use crate::store::mongo::log;
use crate::store::{Deleted, DeletionDraft, SecretHash};

fn fields(document: &Document) -> Vec<&str> {
    document.keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_have_the_specified_fields() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let store = database.open().await;
    let id = stored(&store).await;
    store.append(id, drafts("first", 1)).await.unwrap();
    let upload = database.only("uploads").await;
    let expected = [
        "_id",
        "shortID",
        "kind",
        "content",
        "createdAt",
        "modifiedAt",
    ];
    assert_eq!(fields(&upload), expected);
    let content = upload.get_document("content").unwrap();
    let expected = ["path", "size", "mediaType", "width", "height"];
    assert_eq!(fields(content), expected);
    let message = database.only("messages").await;
    let expected = [
        "_id",
        "uploadID",
        "seq",
        "anonName",
        "content",
        "clientMessageID",
        "createdAt",
        "modifiedAt",
        "places",
    ];
    assert_eq!(fields(&message), expected);
    assert_eq!(message.get("uploadID"), upload.get("_id"));
    assert_eq!(upload["_id"].element_type(), ElementType::ObjectId);
    for document in [upload, message] {
        assert_eq!(document["createdAt"].element_type(), ElementType::DateTime);
        assert_eq!(document["createdAt"], document["modifiedAt"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_have_the_specified_fields() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let store = database.open().await;
    let mut upload = some_upload();
    let (id, by) = (upload.id, SecretHash::from_bytes([7; 32]));
    upload.expires_at = "2126-11-24T12:00:00.123Z".parse().ok();
    store.insert_upload(upload, Some(by)).await.unwrap();
    let mut draft = drafts("first", 1).remove(0);
    draft.owner = Some(by);
    store.append(id, vec![draft]).await.unwrap();
    let message = database.only("messages").await;
    assert_eq!(message["owner"].element_type(), ElementType::Binary);
    let draft = DeletionDraft {
        id: MessageId::from_bytes(rand::random()),
        created_at: "2026-11-25T12:00:00.456Z".parse().unwrap(),
    };
    let deleted = store
        .delete_message(id, Seq::new(1).into(), Some(by).into(), draft)
        .await;
    assert!(matches!(deleted, Ok(Deleted::New(_))), "{deleted:?}");
    let at = draft.created_at;
    store.delete_upload(id, Some(by).into(), at).await.unwrap();
    let upload = database.only("uploads").await;
    assert_eq!(upload["owner"].element_type(), ElementType::Binary);
    assert_eq!(upload["expiresAt"].element_type(), ElementType::DateTime);
    assert_eq!(upload["removeAt"], upload["deletedAt"]);
    let messages = database.collection("messages").await;
    let entry = |seq: i64| messages.find_one(doc! { "seq": seq });
    let message = entry(1).await.unwrap().unwrap();
    let deletion = entry(2).await.unwrap().unwrap();
    let mut left = fields(&message);
    left.sort_unstable();
    let expected = [
        "_id",
        "clientMessageID",
        "createdAt",
        "deletedAt",
        "modifiedAt",
        "owner",
        "places",
        "seq",
        "uploadID",
    ];
    assert_eq!(left, expected);
    let expected = [
        "_id",
        "uploadID",
        "seq",
        "clientMessageID",
        "createdAt",
        "modifiedAt",
        "places",
        "deletes",
    ];
    assert_eq!(fields(&deletion), expected);
    assert_eq!(deletion["deletes"], Bson::Int64(1));
    for date in [
        &message["deletedAt"],
        &message["modifiedAt"],
        &upload["deletedAt"],
    ] {
        assert_eq!(date, &deletion["createdAt"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_the_first_version_are_read() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let upload = some_upload();
    let (id, time) = (
        upload.id,
        DateTime::from_millis(upload.created_at.unix_millis()),
    );
    let upload_id = ObjectId::from_bytes(*id.as_bytes());
    let document = doc! {
        "_id": upload_id,
        "shortID": upload.short_id.as_str(),
        "kind": "image",
        "content": {
            "path": &upload.content.url,
            "size": upload.content.size.cast_signed(),
            "mediaType": "image/jpeg",
            "width": i64::from(upload.content.width),
            "height": i64::from(upload.content.height),
        },
        "createdAt": time,
        "modifiedAt": time,
    };
    let message = doc! {
        "_id": ObjectId::from_bytes(rand::random()),
        "uploadID": upload_id,
        "seq": 1_i64,
        "anonName": "someone",
        "content": TEXT,
        "clientMessageID": "old",
        "createdAt": time,
        "modifiedAt": time,
    };
    for (name, document) in [("uploads", document), ("messages", message)] {
        let collection = database.collection(name).await;
        collection.insert_one(document).await.unwrap();
    }
    let store = database.open().await;
    assert_eq!(store.upload(UploadRef::Id(id)).await, Ok(upload));
    store.append(id, drafts("new", 1)).await.unwrap();
    let page = store.entries(id, Select::Newest, 9).await.unwrap();
    let texts: Vec<_> = page.messages().map(|it| it.content.as_str()).collect();
    assert_eq!(texts, [TEXT, "something"]);
    let nobody = SecretHash::from_bytes([7; 32]);
    let deleted = store.delete_upload(id, Some(nobody).into(), page.entries[0].created_at());
    assert_eq!(deleted.await, Err(StoreError::Forbidden));
    assert_eq!(store.removals(9).await, Ok(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_earlier_versions_have_no_place() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let store = database.open().await;
    let id = stored(&store).await;
    store.append(id, drafts("old", 1)).await.unwrap();
    let messages = database.collection("messages").await;
    let unset = doc! { "$unset": { "places": "" } };
    messages.update_one(doc! {}, unset).await.unwrap();
    let another = database.open().await;
    let mut draft = drafts("new", 1).remove(0);
    draft.message.at = Some(Point::new(0.25, 0.5).unwrap());
    another.append(id, vec![draft]).await.unwrap();
    let page = another.entries(id, Select::Newest, 5).await.unwrap();
    let pins: Vec<_> = page.messages().map(|it| it.pin).collect();
    assert_eq!(pins, [None, NonZeroU32::new(1)]);
    let new = messages.find_one(doc! { "seq": 2_i64 }).await.unwrap();
    let new = new.unwrap();
    assert_eq!(
        new.get_document("at").unwrap(),
        &doc! { "x": 0.25, "y": 0.5 }
    );
    assert_eq!(new.get_i64("places").unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pins_are_numbered_on_when_a_node_of_an_earlier_version_posts_in_between() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let id = stored(&database.open().await).await;
    let messages = database.collection("messages").await;
    for round in 0_i64..3 {
        // Another node, which remembers no position.
        let mut draft = drafts(&format!("new{round}"), 1).remove(0);
        draft.message.at = Some(Point::new(0.25, 0.5).unwrap());
        let new = database.open().await;
        new.append(id, vec![draft]).await.unwrap();
        let old = database.open().await;
        for n in 0..2 {
            let drafts = drafts(&format!("old{round}{n}"), 1);
            old.append(id, drafts).await.unwrap();
            let seq = round * 3 + 2 + n;
            let unset = doc! { "$unset": { "places": "" } };
            messages
                .update_one(doc! { "seq": seq }, unset)
                .await
                .unwrap();
        }
    }
    let store = database.open().await;
    let page = store.entries(id, Select::After(Seq::ZERO), 20).await;
    let page = page.unwrap();
    let pins: Vec<_> = page.messages().filter_map(|it| it.pin).collect();
    assert_eq!(pins, [1, 2, 3].map(|pin| NonZeroU32::new(pin).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_place_is_found_by_an_index_and_not_by_reading_what_came_after_it() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let id = stored(&database.open().await).await;
    let mut drafts = drafts("m", 200);
    for (n, draft) in drafts.iter_mut().enumerate() {
        draft.message.at = (n == 0).then(|| Point::new(0.25, 0.5).unwrap());
    }
    let node = database.open().await;
    node.append(id, drafts).await.unwrap();
    let messages = database.collection("messages").await;
    // Those after the place are of an earlier version.
    messages
        .update_many(
            doc! { "seq": { "$gt": 1 } },
            doc! { "$unset": { "places": "" } },
        )
        .await
        .unwrap();
    let client = Client::with_uri_str(&database.url).await.unwrap();
    let server = client.database(&database.name);
    let about = server.run_command(doc! { "buildInfo": 1 }).await.unwrap();
    // FerretDB has no partial indexes, and does not say how it finds documents.
    if !about.contains_key("ferretdbVersion") {
        let log = log::Log::new(&node.database, id);
        let find = doc! {
            "find": "messages",
            "filter": log.counting_places_before(Seq::new(200)),
            "sort": { "seq": -1 },
            "limit": 1,
        };
        let explain = doc! { "explain": find, "verbosity": "executionStats" };
        let explained = server.run_command(explain).await.unwrap();
        let stats = explained.get_document("executionStats").unwrap();
        let examined = stats.get_i32("totalKeysExamined").unwrap();
        assert!(examined <= 1, "{explained}");
        let examined = stats.get_i32("totalDocsExamined").unwrap();
        assert!(examined <= 1, "{explained}");
    }
    let mut next = super::drafts("next", 1).remove(0);
    next.message.at = Some(Point::new(0.25, 0.5).unwrap());
    let node = database.open().await;
    node.append(id, vec![next]).await.unwrap();
    let page = node.entries(id, Select::Newest, 1).await.unwrap();
    assert_eq!(page.messages().next().unwrap().pin, NonZeroU32::new(2));
}

impl FreshDatabase {
    /// Returns the only document of a collection.
    async fn only(&self, name: &str) -> Document {
        let collection = self.collection(name).await;
        collection.find_one(doc! {}).await.unwrap().unwrap()
    }

    /// Changes a field of the only document of a collection to a value that no node would write.
    async fn set(&self, name: &str, field: &str, value: impl Into<Bson>) {
        let change = doc! { "$set": { field: value.into() } };
        let collection = self.collection(name).await;
        collection.update_one(doc! {}, change).await.unwrap();
    }
}

/// Collects what is logged on the test's thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }

    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.bytes())).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const TEXT: &str = "between us only";

#[tokio::test]
async fn an_invalid_document_is_logged_once_without_its_texts() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let store = database.open().await;
    let id = stored(&store).await;
    store.append(id, drafts("first", 1)).await.unwrap();
    log.take();
    let wrong = [
        ("messages", "anonName", Bson::from(TEXT.repeat(9))),
        ("messages", "anonName", Bson::from("someone")),
        ("messages", "clientMessageID", Bson::from(TEXT)),
        ("messages", "seq", Bson::from(-5_i64)),
        ("uploads", "shortID", Bson::from(TEXT)),
        ("uploads", "content", Bson::from(TEXT)),
    ];
    for (collection, field, value) in wrong {
        let is_valid = value.as_str() == Some("someone");
        database.set(collection, field, value).await;
        let read = if collection == "messages" {
            store.entries(id, Select::Newest, 5).await.err()
        } else {
            store.upload(UploadRef::Id(id)).await.err()
        };
        let logged = log.take();
        assert_eq!(read, (!is_valid).then_some(StoreError::Unavailable));
        assert_eq!(logged.lines().count(), usize::from(!is_valid), "{logged}");
        assert!(
            !logged.contains(TEXT) && !logged.contains(&id.to_string()),
            "{logged}"
        );
    }
}

#[tokio::test]
async fn invalid_documents_are_logged_at_the_start_without_their_texts() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let store = database.open().await;
    let id = stored(&store).await;
    store.append(id, drafts("first", 1)).await.unwrap();
    database.open().await;
    assert!(!log.take().contains("are invalid"));
    database.set("messages", "anonName", TEXT.repeat(9)).await;
    database.set("uploads", "content", TEXT).await;
    database.open().await;
    let logged = log.take();
    let lines: Vec<_> = logged
        .lines()
        .filter(|line| line.contains("are invalid"))
        .collect();
    assert_eq!(lines.len(), 2, "{logged}");
    for (line, collection) in lines.iter().zip(["uploads", "messages"]) {
        assert!(
            line.contains(collection) && line.contains("documents=1"),
            "{line}"
        );
    }
    assert!(
        !logged.contains(TEXT) && !logged.contains(&id.to_string()),
        "{logged}"
    );
}
