use std::fs;
use std::path::Path;
use std::time::Duration;

use app::model::{AuthorSecret, MessageId, NewMessage, Seq, UploadId};
use tokio::time::{sleep, timeout};

use super::{SqliteStore, drafts};
use crate::clock;
use crate::store::conformance::some_upload;
use crate::store::{DeletionDraft, Draft, SecretHash, Store};

/// Whether these bytes are in one of the database's files.
fn is_in_a_file(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|file| {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        memchr::memmem::find(&bytes, text.as_bytes()).is_some()
    })
}

/// What a message with this number says, in each part of its text.
fn word(upload: UploadId, seq: u64) -> String {
    format!("message {seq} of {upload}; ")
}

/// Inserts an upload with 600 messages of many lengths, so that pages of the database are split and filled again.
async fn insert_conversation(store: &SqliteStore, secret: &AuthorSecret) -> UploadId {
    let upload = some_upload();
    let id = upload.id;
    let owner = Some(SecretHash::new(id, secret));
    store.insert_upload(upload, owner).await.unwrap();
    let drafts = drafts("m", 600).into_iter().zip(1..).map(|(draft, seq)| {
        let length = 1 + usize::try_from(seq % 40).unwrap();
        let content = word(id, seq).repeat(length).parse().unwrap();
        Draft {
            message: NewMessage {
                content,
                ..draft.message
            },
            ..draft
        }
    });
    for part in drafts.collect::<Vec<_>>().chunks(50) {
        store.append(id, part.to_vec()).await.unwrap();
    }
    id
}

#[tokio::test]
async fn of_what_is_deleted_no_byte_is_left_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let secret: AuthorSecret = "0123456789abcdef0123".repeat(2).parse().unwrap();
    let kept = insert_conversation(&store, &secret).await;
    let gone = insert_conversation(&store, &secret).await;
    let is_deleted = |seq: &u64| !seq.is_multiple_of(7);
    for seq in (1..=600).filter(is_deleted) {
        let draft = DeletionDraft {
            id: MessageId::from_bytes(rand::random()),
            created_at: clock::now(),
        };
        let by = Some(SecretHash::new(kept, &secret));
        let deleted = store.delete_message(kept, Seq::new(seq).into(), by.into(), draft);
        deleted.await.unwrap();
    }
    let by = Some(SecretHash::new(gone, &secret));
    store
        .delete_upload(gone, by.into(), clock::now())
        .await
        .unwrap();
    while store.remove_log(gone, 100).await.unwrap() > 0 {}
    // The log is emptied about a second after the last write.
    let log = folder.path().join("tonesa.db-wal");
    let emptied = async {
        while fs::metadata(&log).unwrap().len() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), emptied).await.unwrap();
    let deleted = (1..=600).filter(is_deleted).map(|seq| word(kept, seq));
    let all = deleted.chain((1..=600).map(|seq| word(gone, seq)));
    let left: Vec<_> = all.filter(|it| is_in_a_file(folder.path(), it)).collect();
    assert_eq!(left, [""; 0]);
    assert!(is_in_a_file(folder.path(), &word(kept, 7)), "it is kept");
}
