use std::time::Duration;

use app::model::{Seq, Timestamp, UploadId, UploadRef};
use tokio::time::timeout;

use super::deletions::{OTHER, OWNER, delete, hash};
use super::{Shared, at, draft, drafts, some_upload};
use crate::store::{REMOVAL_MARGIN, Removal, Select, StoreError};
use crate::{clock, ids};

/// Calls that are about an upload that is gone.
async fn assert_gone(store: &Shared, upload: &app::model::Upload) {
    let id = upload.id;
    for name in [UploadRef::Id(id), UploadRef::Short(upload.short_id)] {
        assert_eq!(store.upload(name).await, Err(StoreError::Gone));
    }
    for (select, limit) in [
        (Select::Newest, 0),
        (Select::Newest, 9),
        (Select::After(Seq::ZERO), 9),
    ] {
        assert_eq!(
            store.entries(id, select, limit).await,
            Err(StoreError::Gone),
            "{select:?}"
        );
    }
    assert_eq!(
        store.append(id, vec![draft("late")]).await,
        Err(StoreError::Gone)
    );
    assert_eq!(delete(store, id, 1, OWNER).await, Err(StoreError::Gone));
    let again = store.delete_upload(id, hash(id, OWNER).into(), at(0)).await;
    assert_eq!(again, Err(StoreError::Gone));
    assert_eq!(store.has_short_id(upload.short_id).await, Ok(false));
    let newest = store.newest_uploads(1_000).await.unwrap();
    assert!(!newest.contains(&upload.short_id));
}

async fn removal_of(store: &Shared, id: UploadId) -> Option<Removal> {
    let removals = store.removals(1_000).await.unwrap();
    removals.into_iter().find(|removal| removal.upload == id)
}

pub(crate) async fn a_deleted_upload_is_gone_and_removed_step_by_step(store: Shared) {
    let upload = some_upload();
    let id = upload.id;
    store
        .insert_upload(upload.clone(), hash(id, OWNER))
        .await
        .unwrap();
    store.append(id, drafts("m", 5)).await.unwrap();
    for by in [None, hash(id, OTHER)] {
        let refused = store.delete_upload(id, by.into(), at(7)).await;
        assert_eq!(refused, Err(StoreError::Forbidden));
    }
    assert_eq!(
        store.remove_log(id, 9).await,
        Err(StoreError::NotFound),
        "it exists"
    );
    assert_eq!(store.finish_removal(id).await, Err(StoreError::NotFound));
    assert_eq!(removal_of(&store, id).await, None);
    assert_eq!(store.upload(UploadRef::Id(id)).await, Ok(upload.clone()));
    store
        .delete_upload(id, hash(id, OWNER).into(), at(7))
        .await
        .unwrap();
    assert_gone(&store, &upload).await;
    let removal = removal_of(&store, id).await.unwrap();
    assert_eq!((removal.short_id, removal.since), (upload.short_id, at(7)));
    assert_eq!(store.remove_log(id, 2).await, Ok(2));
    assert_gone(&store, &upload).await;
    assert_eq!(store.remove_log(id, 9).await, Ok(3));
    assert_eq!(store.remove_log(id, 9).await, Ok(0));
    assert!(removal_of(&store, id).await.is_some());
    store.finish_removal(id).await.unwrap();
    assert_eq!(removal_of(&store, id).await, None);
    assert_gone(&store, &upload).await;
    let taken = app::model::Upload {
        id: ids::upload_id(),
        ..upload
    };
    assert_eq!(
        store.insert_upload(taken, None).await,
        Err(StoreError::AlreadyExists)
    );
}

pub(crate) async fn an_upload_is_gone_when_its_time_is_up(store: Shared) {
    let mut upload = some_upload();
    let soon = clock::now().unix_millis() + 700;
    upload.expires_at = Timestamp::from_unix_millis(soon);
    let id = upload.id;
    store
        .insert_upload(upload.clone(), hash(id, OWNER))
        .await
        .unwrap();
    store.append(id, drafts("m", 2)).await.unwrap();
    assert_eq!(store.upload(UploadRef::Id(id)).await, Ok(upload.clone()));
    assert_eq!(removal_of(&store, id).await, None);
    let expired = async {
        while store.entries(id, Select::Newest, 0).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), expired).await.unwrap();
    assert!(clock::now().unix_millis() >= soon);
    assert_gone(&store, &upload).await;
    // For another node it may not have expired yet.
    assert_eq!(removal_of(&store, id).await, None);
}

pub(crate) async fn an_expired_upload_is_removed_some_minutes_later(store: Shared) {
    let margin = i64::try_from(REMOVAL_MARGIN.as_millis()).unwrap();
    let expired = async |millis_ago| {
        let mut upload = some_upload();
        let at = clock::now().unix_millis() - millis_ago;
        upload.expires_at = Timestamp::from_unix_millis(at);
        let by = hash(upload.id, OWNER);
        store.insert_upload(upload.clone(), by).await.unwrap();
        upload
    };
    let early = expired(margin - 60_000).await;
    assert_eq!(removal_of(&store, early.id).await, None);
    let late = expired(margin + 1).await;
    let removal = removal_of(&store, late.id).await.unwrap();
    assert_eq!(Some(removal.since), late.expires_at);
    assert_eq!(store.remove_log(late.id, 9).await, Ok(0));
    store.finish_removal(late.id).await.unwrap();
    assert_eq!(removal_of(&store, late.id).await, None);
    assert_gone(&store, &late).await;
}

/// The store may be shared with other tests, so that the sizes of these uploads are larger than all others together.
pub(crate) async fn what_is_removed_takes_no_storage(store: Shared) {
    const SIZE: u64 = 1 << 48;
    let stored = async || store.stored_bytes().await.unwrap() / SIZE;
    assert_eq!(stored().await, 0);
    let sized = |expires_at| {
        let mut upload = some_upload();
        upload.content.size = SIZE;
        upload.expires_at = expires_at;
        upload
    };
    let (kept, deleted) = (sized(None), sized(None));
    let expired = sized(Timestamp::from_unix_millis(clock::now().unix_millis() - 1));
    for upload in [&kept, &deleted, &expired] {
        let owner = hash(upload.id, OWNER);
        store.insert_upload(upload.clone(), owner).await.unwrap();
    }
    assert_eq!(stored().await, 3);
    let owner = hash(deleted.id, OWNER);
    store
        .delete_upload(deleted.id, owner.into(), at(7))
        .await
        .unwrap();
    assert_eq!(stored().await, 3, "their images are not removed yet");
    store.finish_removal(expired.id).await.unwrap();
    assert_eq!(stored().await, 2);
    store.finish_removal(deleted.id).await.unwrap();
    assert_eq!(stored().await, 1);
}
