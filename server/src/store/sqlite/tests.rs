mod deleted;

use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use app::model::{MessageId, NewMessage, Point, UploadId};
use futures::FutureExt;
use futures::future::select_all;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{DATABASE_FILE, OpenError, SqliteStore};
use crate::fs::folder::FolderError;
use crate::store::conformance::{moderation_suite, some_upload, store_suite};
use crate::store::{Draft, MAX_APPEND, Moderation, Select, Store, StoreError, UploadFilter};

fn open() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    (Arc::new(store), folder)
}

store_suite!(async { open() });
moderation_suite!(async {
    let folder = tempfile::tempdir().unwrap();
    (Arc::new(SqliteStore::open(folder.path()).unwrap()), folder)
});

fn drafts(prefix: &str, count: usize) -> Vec<Draft> {
    (0..count)
        .map(|n| Draft {
            id: MessageId::from_bytes(rand::random()),
            message: NewMessage {
                author_name: "someone".parse().unwrap(),
                content: "something".parse().unwrap(),
                client_message_id: format!("{prefix}-{n}").parse().unwrap(),
                at: None,
                author: None,
            },
            created_at: "2026-11-24T12:00:00.123Z".parse().unwrap(),
            owner: None,
        })
        .collect()
}

async fn head(store: &SqliteStore, upload: UploadId) -> u64 {
    let page = store.entries(upload, Select::Newest, 0).await.unwrap();
    page.head.get()
}

#[cfg(unix)]
#[tokio::test]
async fn the_database_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    store.ping().await.unwrap();
    for end in ["", "-wal"] {
        let file = folder.path().join(format!("{DATABASE_FILE}{end}"));
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{end}");
    }
}

#[tokio::test]
async fn a_closed_store_refuses_calls_and_opens_again_with_everything() {
    let folder = tempfile::tempdir().unwrap();
    let upload = some_upload();
    let id = upload.id;
    let store = SqliteStore::open(folder.path()).unwrap();
    store.insert_upload(upload, None).await.unwrap();
    store.append(id, drafts("first", 3)).await.unwrap();
    store.close().await;
    store.close().await;
    assert_eq!(store.ping().await, Err(StoreError::Unavailable));
    assert_eq!(store.append(id, vec![]).await, Err(StoreError::Unavailable));
    let log = folder.path().join(format!("{DATABASE_FILE}-wal"));
    assert!(!log.exists(), "the log was checkpointed");
    let again = SqliteStore::open(folder.path()).unwrap();
    again.append(id, drafts("second", 2)).await.unwrap();
    assert_eq!(head(&again, id).await, 5);
}

#[tokio::test]
async fn closing_the_store_executes_pending_writes() {
    let (upload, folder) = (some_upload(), tempfile::tempdir().unwrap());
    let id = upload.id;
    let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
    store.insert_upload(upload, None).await.unwrap();
    let blocker = lock(folder.path());
    let appends: Vec<_> = (0..5)
        .map(|call| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.append(id, drafts(&format!("c{call}"), 3)).await })
        })
        .collect();
    // On this test's single thread, all appends are queued once each task has run.
    tokio::task::yield_now().await;
    drop(blocker);
    store.close().await;
    for append in appends {
        assert_eq!(append.await.unwrap().unwrap().len(), 3);
    }
    let again = SqliteStore::open(folder.path()).unwrap();
    assert_eq!(head(&again, id).await, 15);
}

/// Locks the database like another program, until this is dropped.
fn lock(folder: &Path) -> Connection {
    let other = Connection::open(folder.join(DATABASE_FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[tokio::test]
async fn a_locked_database_is_unavailable_in_time_and_recovers() {
    let (upload, folder) = (some_upload(), tempfile::tempdir().unwrap());
    let id = upload.id;
    let store = SqliteStore::open(folder.path()).unwrap();
    store.insert_upload(upload, None).await.unwrap();
    let other = lock(folder.path());
    let start = Instant::now();
    let refused = store.append(id, drafts("same", 2)).await;
    assert_eq!(refused, Err(StoreError::Unavailable));
    assert!(start.elapsed().as_secs() < 3);
    assert_eq!(head(&store, id).await, 0, "reads still work");
    drop(other);
    store.append(id, drafts("same", 2)).await.unwrap();
    assert_eq!(head(&store, id).await, 2);
}

#[tokio::test]
async fn writes_beyond_the_queue_are_refused_at_once() {
    let (upload, folder) = (some_upload(), tempfile::tempdir().unwrap());
    let id = upload.id;
    let store = SqliteStore::open(folder.path()).unwrap();
    store.insert_upload(upload, None).await.unwrap();
    let _other = lock(folder.path());
    let appends = (0..65).map(|call| store.append(id, drafts(&format!("c{call}"), MAX_APPEND)));
    // All are polled once.
    let first = select_all(appends).now_or_never();
    let (refused, index, _) = first.expect("one does not wait");
    assert_eq!((refused, index), (Err(StoreError::Unavailable), 64));
}

#[test]
fn a_folder_is_used_by_one_store_only() {
    let folder = tempfile::tempdir().unwrap();
    let _first = SqliteStore::open(folder.path()).unwrap();
    let refused = open_error(folder.path());
    assert!(matches!(refused, OpenError::Folder(FolderError::InUse(_))));
}

fn open_error(folder: &Path) -> OpenError {
    let refused = SqliteStore::open(folder).err().unwrap();
    assert!(refused.to_string().contains("TONESA_DATA_DIR"), "{refused}");
    assert!(refused.to_string().contains(folder.to_str().unwrap()));
    refused
}

#[tokio::test]
async fn a_damaged_database_is_refused() {
    let (upload, folder) = (some_upload(), tempfile::tempdir().unwrap());
    let id = upload.id;
    let store = SqliteStore::open(folder.path()).unwrap();
    store.insert_upload(upload, None).await.unwrap();
    store.append(id, drafts("a", 200)).await.unwrap();
    store.close().await;
    let file = folder.path().join(DATABASE_FILE);
    let whole = fs::read(&file).unwrap();
    let mut garbled = whole.clone();
    garbled[4096..].fill(0xa5);
    for damaged in [&garbled[..], &whole[..8192], &[0xa5; 9000], b"no database"] {
        fs::write(&file, damaged).unwrap();
        assert!(matches!(
            open_error(folder.path()),
            OpenError::Unusable { .. }
        ));
    }
    fs::write(&file, whole).unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    assert_eq!(head(&store, id).await, 200);
}

#[test]
fn a_folder_in_place_of_the_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(DATABASE_FILE)).unwrap();
    assert!(matches!(
        open_error(folder.path()),
        OpenError::Unusable { .. }
    ));
}

#[test]
fn a_foreign_or_newer_database_is_refused_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(DATABASE_FILE);
    let foreign = Connection::open(&file).unwrap();
    foreign.execute_batch("CREATE TABLE uploads (x)").unwrap();
    drop(foreign);
    let before = fs::read(&file).unwrap();
    assert!(matches!(
        open_error(folder.path()),
        OpenError::Unusable { .. }
    ));
    assert_eq!(fs::read(&file).unwrap(), before);
    fs::remove_file(&file).unwrap();
    drop(super::schema::open_writer(&file).unwrap());
    let newer = Connection::open(&file).unwrap();
    newer.pragma_update(None, "user_version", 1_000).unwrap();
    drop(newer);
    assert!(matches!(
        open_error(folder.path()),
        OpenError::Newer { found: 1_000, .. }
    ));
}

/// Killing the process cannot test this, only a power failure could.
#[test]
fn every_commit_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let connection = super::schema::open_writer(&folder.path().join(DATABASE_FILE)).unwrap();
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    let synchronous: i64 = pragma("synchronous").unwrap();
    assert_eq!(synchronous, 2, "FULL");
}

#[tokio::test]
async fn the_head_is_cached_even_if_the_caller_is_cancelled() {
    let (folder, upload) = (tempfile::tempdir().unwrap(), some_upload());
    let store = SqliteStore::open(folder.path()).unwrap();
    store.insert_upload(upload.clone(), None).await.unwrap();
    store.append(upload.id, drafts("known", 1)).await.unwrap();
    let unwanted = store.append(upload.id, drafts("unwanted", 2));
    assert_eq!(futures::poll!(unwanted), std::task::Poll::Pending);
    // A later append is in the same commit or a later one.
    store.append(upload.id, drafts("known", 1)).await.unwrap();
    assert_eq!(store.heads.get(upload.id).unwrap().get(), 3);
    assert_eq!(head(&store, upload.id).await, 3);
}

/// Makes a database with an upload and a message, changed by this SQL.
async fn changed(change: &str) -> TempDir {
    let (folder, upload) = (tempfile::tempdir().unwrap(), some_upload());
    let store = SqliteStore::open(folder.path()).unwrap();
    store.insert_upload(upload.clone(), None).await.unwrap();
    store.append(upload.id, drafts("first", 2)).await.unwrap();
    store.close().await;
    let other = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    other.pragma_update(None, "foreign_keys", false).unwrap();
    other.execute_batch(change).unwrap();
    folder
}

#[tokio::test]
async fn an_incomplete_database_is_refused_naming_what_is_missing() {
    for (change, missing) in [
        ("DROP TABLE entries", "its table entries is missing"),
        ("DROP TABLE uploads", "its table uploads is missing"),
        ("DROP TABLE pairing", "its table pairing is missing"),
        (
            "DROP TABLE blocked_images",
            "its table blocked_images is missing",
        ),
        (
            "DROP INDEX entries_by_time",
            "its index entries_by_time is missing",
        ),
        (
            "ALTER TABLE uploads DROP COLUMN width",
            "the column width of its table uploads is missing",
        ),
        (
            "ALTER TABLE entries DROP COLUMN places",
            "the column places of its table entries is missing",
        ),
    ] {
        let folder = changed(change).await;
        let refused = open_error(folder.path()).to_string();
        assert!(refused.contains(missing), "{refused}");
        assert!(!refused.contains("move it away"), "{refused}");
    }
}

#[tokio::test]
async fn a_database_of_any_earlier_version_is_migrated_with_its_messages() {
    for version in 1..super::schema::MIGRATIONS.len() {
        let (folder, id) = (tempfile::tempdir().unwrap(), UploadId::from_bytes([7; 12]));
        let old = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
        let schema = super::schema::MIGRATIONS[..version].concat();
        old.execute_batch(&schema).unwrap();
        let log = if version < 4 { "messages" } else { "entries" };
        old.execute_batch(&format!(
            "INSERT INTO uploads (key, id, short_id, kind, url, media_type, size, width, height, created_at)
                VALUES (1, x'{id}', 'aB3dE9xZ', 'image', '/i/aB3dE9xZ', 'image/png', 9, 3, 2, 0);
            INSERT INTO {log} (upload, seq, id, author_name, content, client_message_id, created_at)
                VALUES (1, 1, x'090909090909090909090909', 'Ada', 'from before', 'old', 0);
            PRAGMA application_id = 0x546f6e65;
            PRAGMA user_version = {version};"
        ))
        .unwrap();
        drop(old);
        let store = SqliteStore::open(folder.path()).unwrap();
        assert_eq!(store.pairing().await, Ok(None));
        let mut draft = drafts("new", 1).remove(0);
        draft.message.at = Some(Point::new(0.25, 0.5).unwrap());
        store.append(id, vec![draft]).await.unwrap();
        let page = store.entries(id, Select::Newest, 5).await.unwrap();
        let messages: Vec<_> = page.messages().collect();
        let [old, new] = messages[..] else {
            panic!("{page:?}");
        };
        assert_eq!(old.content.as_str(), "from before");
        assert_eq!((old.author, old.at, old.pin), (None, None, None));
        assert_eq!(new.pin, NonZeroU32::new(1));
        let listed = store.list_uploads(UploadFilter::All, None, 9).await;
        assert_eq!(listed.unwrap().len(), 1);
    }
}

/// Returns what is logged on the test's thread while `work` runs.
fn logged(work: impl FnOnce()) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let writer = Arc::new(file.reopen().unwrap());
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(writer);
    tracing::subscriber::with_default(subscriber.finish(), work);
    fs::read_to_string(file.path()).unwrap()
}

#[tokio::test]
async fn invalid_rows_are_logged_at_the_start() {
    for (change, expected) in [
        (
            "UPDATE uploads SET kind = 'sound'",
            Some(("uploads", "rows=1")),
        ),
        (
            "UPDATE entries SET author_name = char(7)",
            Some(("entries", "rows=2")),
        ),
        (
            "UPDATE entries SET author = 'nobody'",
            Some(("entries", "rows=2")),
        ),
        (
            "UPDATE entries SET at_x = 0.5 WHERE seq = 1",
            Some(("entries", "rows=1")),
        ),
        ("UPDATE uploads SET width = 7", None),
    ] {
        let folder = changed(change).await;
        let log = logged(|| drop(SqliteStore::open(folder.path()).unwrap()));
        match expected {
            Some((table, rows)) => {
                assert!(log.contains("are invalid"), "{log}");
                assert!(log.contains(table) && log.contains(rows), "{log}");
            }
            None => assert_eq!(log, ""),
        }
    }
}
