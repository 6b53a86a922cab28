use app::model::{AuthorSecret, LogEntry, Seq, UploadId, UploadRef};
use futures::future::join_all;

use super::{Shared, at, draft, drafts, parse, some_upload, stored};
use crate::ids;
use crate::store::{
    Appended, Deleted, DeletionDraft, Draft, MessageRef, Requester, SecretHash, Select, StoreError,
};

const AUTHOR: &str = "the-secret-of-the-author";
pub(super) const OWNER: &str = "the-secret-of-the-owner-";
pub(super) const OTHER: &str = "the-secret-of-the-author2";

#[expect(clippy::unnecessary_wraps, reason = "the store takes an option")]
pub(super) fn hash(upload: UploadId, secret: &str) -> Option<SecretHash> {
    Some(SecretHash::new(upload, &parse::<AuthorSecret>(secret)))
}

fn deletion() -> DeletionDraft {
    DeletionDraft {
        id: ids::message_id(),
        created_at: at(5_000),
    }
}

pub(super) async fn delete(
    store: &Shared,
    upload: UploadId,
    seq: u64,
    by: &str,
) -> Result<Deleted, StoreError> {
    let by = hash(upload, by);
    store
        .delete_message(upload, Seq::new(seq).into(), by.into(), deletion())
        .await
}

/// An upload of the owner, with three messages of the author.
async fn conversation(store: &Shared) -> UploadId {
    let upload = some_upload();
    let id = upload.id;
    store.insert_upload(upload, hash(id, OWNER)).await.unwrap();
    let drafts = drafts("m", 3).into_iter().map(|draft| Draft {
        owner: hash(id, AUTHOR),
        ..draft
    });
    store.append(id, drafts.collect()).await.unwrap();
    id
}

async fn log(store: &Shared, upload: UploadId) -> Vec<LogEntry> {
    let page = store
        .entries(upload, Select::After(Seq::ZERO), 200)
        .await
        .unwrap();
    let numbers = page.entries.iter().map(|entry| entry.seq().get());
    assert!(numbers.eq(1..=page.head.get()), "{page:?}");
    page.entries
}

pub(crate) async fn a_deletion_is_an_entry_and_leaves_nothing_of_what_the_message_says(
    store: Shared,
) {
    let upload = conversation(&store).await;
    let before = log(&store, upload).await;
    let by = hash(upload, AUTHOR);
    let draft = deletion();
    let deleted = store
        .delete_message(upload, Seq::new(2).into(), by.into(), draft)
        .await;
    let Ok(Deleted::New(deletion)) = deleted else {
        panic!("{deleted:?}");
    };
    assert_eq!((deletion.seq, deletion.deletes), (Seq::new(4), Seq::new(2)));
    assert_eq!(
        (deletion.id, deletion.created_at),
        (draft.id, draft.created_at)
    );
    let after = log(&store, upload).await;
    let expected = before.into_iter().map(|entry| entry.after(&deletion));
    let expected: Vec<_> = expected.chain([LogEntry::Deletion(deletion)]).collect();
    assert_eq!(after, expected);
    assert!(matches!(after[1], LogEntry::DeletedMessage(_)));
    for select in [
        Select::Newest,
        Select::Before(Seq::new(9)),
        Select::Since(at(-1)),
    ] {
        let page = store.entries(upload, select, 9).await.unwrap();
        assert_eq!(page.messages().count(), 2, "{select:?}");
        assert_eq!(page.head, Seq::new(4));
    }
    assert_eq!(
        store.entries(upload, Select::Newest, 0).await.unwrap().head,
        Seq::new(4)
    );
}

pub(crate) async fn only_the_author_and_the_owner_of_the_upload_can_delete_a_message(
    store: Shared,
) {
    let upload = conversation(&store).await;
    let none = store
        .delete_message(upload, Seq::new(1).into(), None.into(), deletion())
        .await;
    assert_eq!(none, Err(StoreError::Forbidden));
    let other = conversation(&store).await;
    // The hash of the same secret on another upload.
    let foreign = store.delete_message(
        upload,
        Seq::new(1).into(),
        hash(other, AUTHOR).into(),
        deletion(),
    );
    assert_eq!(foreign.await, Err(StoreError::Forbidden));
    assert_eq!(
        delete(&store, upload, 1, OTHER).await,
        Err(StoreError::Forbidden)
    );
    assert_eq!(log(&store, upload).await.len(), 3);
    assert!(matches!(
        delete(&store, upload, 1, AUTHOR).await,
        Ok(Deleted::New(_))
    ));
    assert!(matches!(
        delete(&store, upload, 2, OWNER).await,
        Ok(Deleted::New(_))
    ));
    let anonymous = stored(&store).await;
    store.append(anonymous, drafts("a", 1)).await.unwrap();
    for by in [None, hash(anonymous, AUTHOR)] {
        let deleted = store
            .delete_message(anonymous, Seq::new(1).into(), by.into(), deletion())
            .await;
        assert_eq!(deleted, Err(StoreError::Forbidden), "nobody has its secret");
    }
}

pub(crate) async fn a_message_is_deleted_once(store: Shared) {
    let upload = conversation(&store).await;
    let calls = (0..8).map(|n| {
        let by = if n % 2 == 0 { AUTHOR } else { OWNER };
        delete(&store, upload, 2, by)
    });
    let answers: Vec<_> = join_all(calls).await;
    let new = answers
        .iter()
        .filter(|it| matches!(it, Ok(Deleted::New(_))));
    assert_eq!(new.count(), 1, "{answers:?}");
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(log(&store, upload).await.len(), 4);
    assert_eq!(
        delete(&store, upload, 2, OTHER).await,
        Err(StoreError::Forbidden)
    );
}

pub(crate) async fn what_is_no_message_cannot_be_deleted(store: Shared) {
    let upload = conversation(&store).await;
    delete(&store, upload, 2, AUTHOR).await.unwrap();
    // 4 is the deletion.
    for seq in [0, 4, 5, u64::MAX] {
        let deleted = delete(&store, upload, seq, OWNER).await;
        assert_eq!(deleted, Err(StoreError::NotFound), "{seq}");
    }
    let unknown = ids::upload_id();
    assert_eq!(
        delete(&store, unknown, 1, OWNER).await,
        Err(StoreError::NotFound)
    );
}

pub(crate) async fn another_message_with_the_number_is_not_deleted(store: Shared) {
    let upload = conversation(&store).await;
    let second = log(&store, upload).await[1].id();
    let delete = |seq, id| {
        let message = MessageRef {
            seq: Seq::new(seq),
            id: Some(id),
        };
        store.delete_message(upload, message, hash(upload, AUTHOR).into(), deletion())
    };
    for (seq, id) in [(2, ids::message_id()), (1, second), (4, second)] {
        assert_eq!(delete(seq, id).await, Err(StoreError::NotFound), "{seq}");
    }
    assert_eq!(log(&store, upload).await.len(), 3);
    assert!(matches!(delete(2, second).await, Ok(Deleted::New(_))));
    assert_eq!(delete(2, second).await, Ok(Deleted::Already));
    let other = delete(2, ids::message_id()).await;
    assert_eq!(other, Err(StoreError::NotFound), "it is deleted already");
}

pub(crate) async fn a_repeated_post_finds_the_deleted_message(store: Shared) {
    let upload = conversation(&store).await;
    let before = log(&store, upload).await;
    delete(&store, upload, 2, AUTHOR).await.unwrap();
    let again = store
        .append(upload, vec![draft("m-1"), draft("next")])
        .await
        .unwrap();
    let Appended::Known(known) = &again[0] else {
        panic!("{again:?}");
    };
    assert!(matches!(known, LogEntry::DeletedMessage(_)));
    assert_eq!(known.id(), before[1].id());
    let Appended::New(next) = &again[1] else {
        panic!("{again:?}");
    };
    assert_eq!(next.seq, Seq::new(5));
}

pub(crate) async fn pins_keep_their_numbers_when_one_is_deleted(store: Shared) {
    let upload = conversation(&store).await;
    let placed = |n: u32| Draft {
        owner: hash(upload, AUTHOR),
        message: app::model::NewMessage {
            at: app::model::Point::new(0.25, 0.5).ok(),
            ..draft(&format!("p{n}")).message
        },
        ..draft(&format!("p{n}"))
    };
    let first = store
        .append(upload, vec![placed(1), placed(2)])
        .await
        .unwrap();
    let Appended::New(second) = &first[1] else {
        panic!("{first:?}");
    };
    delete(&store, upload, second.seq.get() - 1, AUTHOR)
        .await
        .unwrap();
    delete(&store, upload, second.seq.get(), AUTHOR)
        .await
        .unwrap();
    let third = store.append(upload, vec![placed(3)]).await.unwrap();
    let Appended::New(third) = &third[0] else {
        panic!("{third:?}");
    };
    assert_eq!(
        third.pin.map(u32::from),
        second.pin.map(|pin| u32::from(pin) + 1)
    );
}

pub(crate) async fn concurrent_posts_and_deletions_leave_no_hole(store: Shared) {
    let upload = conversation(&store).await;
    let owned = |n: usize| Draft {
        owner: hash(upload, AUTHOR),
        ..draft(&format!("n{n}"))
    };
    let posts = (0..20).map(|n| store.append(upload, vec![owned(n)]));
    let deletions = (1..=3).map(|seq| delete(&store, upload, seq, AUTHOR));
    let (posted, deleted) = tokio::join!(join_all(posts), join_all(deletions));
    assert!(posted.iter().all(Result::is_ok), "{posted:?}");
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
    let log = log(&store, upload).await;
    assert_eq!(log.len(), 26);
    assert_eq!(log.iter().filter_map(LogEntry::message).count(), 20);
}

pub(crate) async fn an_admin_may_delete_everything(store: Shared) {
    let id = stored(&store).await;
    store.append(id, drafts("m", 2)).await.unwrap();
    let draft = DeletionDraft {
        id: ids::message_id(),
        created_at: at(5),
    };
    let admin = Requester::Admin;
    for (seq, expected) in [(0, None), (1, Some(())), (3, None)] {
        let deleted = store
            .delete_message(id, Seq::new(seq).into(), admin, draft)
            .await;
        match expected {
            Some(()) => assert!(matches!(deleted, Ok(Deleted::New(_))), "{deleted:?}"),
            None => assert_eq!(deleted, Err(StoreError::NotFound), "{seq}"),
        }
    }
    let page = store.entries(id, Select::Newest, 9).await.unwrap();
    assert!(matches!(page.entries[0], LogEntry::DeletedMessage(_)));
    store.delete_upload(id, admin, at(7)).await.unwrap();
    let name = UploadRef::Id(id);
    assert_eq!(store.upload(name).await, Err(StoreError::Gone));
    let again = store.delete_upload(id, admin, at(8)).await;
    assert_eq!(again, Err(StoreError::Gone));
}
