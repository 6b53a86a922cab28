use app::model::{MediaType, Seq, Upload, UploadRef};
use tokio::task::JoinSet;

use super::{Shared, at, draft, parse, some_upload};
use crate::store::{MAX_SHORT_IDS, Requester, Select, StoreError};

pub(crate) async fn an_upload_reads_back_by_either_id(store: Shared) {
    let types = [
        MediaType::Png,
        MediaType::Jpeg,
        MediaType::Gif,
        MediaType::WebP,
    ];
    for media_type in types {
        let mut upload = some_upload();
        upload.content.media_type = media_type;
        upload.content.size = 5 << 32;
        upload.content.width = u32::MAX;
        upload.created_at = at(-1_900_000_000_001);
        store.insert_upload(upload.clone(), None).await.unwrap();
        for name in [UploadRef::Id(upload.id), UploadRef::Short(upload.short_id)] {
            assert_eq!(store.upload(name).await, Ok(upload.clone()));
        }
        assert_eq!(store.has_short_id(upload.short_id).await, Ok(true));
    }
}

pub(crate) async fn letter_case_makes_another_short_id(store: Shared) {
    let mut lower = some_upload();
    // The first character is a letter, so that the two differ.
    let rest = &lower.short_id.as_str().to_lowercase()[1..];
    lower.short_id = parse(&format!("x{rest}"));
    let mut upper = some_upload();
    upper.short_id = parse(&lower.short_id.as_str().to_uppercase());
    store.insert_upload(lower.clone(), None).await.unwrap();
    let other = UploadRef::Short(upper.short_id);
    assert_eq!(store.upload(other).await, Err(StoreError::NotFound));
    store.insert_upload(upper.clone(), None).await.unwrap();
    assert_eq!(store.upload(other).await, Ok(upper));
    assert_eq!(
        store.upload(UploadRef::Short(lower.short_id)).await,
        Ok(lower)
    );
}

pub(crate) async fn a_taken_id_is_refused(store: Shared) {
    let first = some_upload();
    store.insert_upload(first.clone(), None).await.unwrap();
    let mut second = some_upload();
    second.id = first.id;
    let refused = second.short_id;
    assert_eq!(
        store.insert_upload(second, None).await,
        Err(StoreError::AlreadyExists)
    );
    assert_eq!(store.has_short_id(refused).await, Ok(false));
    assert_eq!(store.upload(UploadRef::Id(first.id)).await, Ok(first));
}

pub(crate) async fn a_taken_short_id_is_refused(store: Shared) {
    let first = some_upload();
    store.insert_upload(first.clone(), None).await.unwrap();
    let mut second = some_upload();
    second.short_id = first.short_id;
    let refused = UploadRef::Id(second.id);
    assert_eq!(
        store.insert_upload(second, None).await,
        Err(StoreError::AlreadyExists)
    );
    assert_eq!(store.upload(refused).await, Err(StoreError::NotFound));
    let name = UploadRef::Short(first.short_id);
    assert_eq!(store.upload(name).await, Ok(first));
}

pub(crate) async fn one_of_many_concurrent_uploads_gets_a_short_id(store: Shared) {
    let short_id = some_upload().short_id;
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        let mut upload = some_upload();
        upload.short_id = short_id;
        tasks.spawn(async move { (upload.clone(), store.insert_upload(upload, None).await) });
    }
    let outcomes = tasks.join_all().await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(_, end)| end.is_ok());
    assert_eq!(won.len(), 1);
    assert!(
        lost.iter()
            .all(|(_, end)| *end == Err(StoreError::AlreadyExists))
    );
    let stored = store.upload(UploadRef::Short(short_id)).await.unwrap();
    assert_eq!(stored, won[0].0);
}

pub(crate) async fn unused_short_ids_are_told_from_used_ones(store: Shared) {
    let used = some_upload();
    let deleted = some_upload();
    let expired = Upload {
        expires_at: Some(at(0)),
        ..some_upload()
    };
    for upload in [&used, &deleted, &expired] {
        store.insert_upload(upload.clone(), None).await.unwrap();
    }
    let deletion = store.delete_upload(deleted.id, Requester::Admin, at(0));
    deletion.await.unwrap();
    let mut unused: Vec<_> = (2..MAX_SHORT_IDS).map(|_| some_upload().short_id).collect();
    unused.insert(7, deleted.short_id);
    unused.push(expired.short_id);
    let mut all = unused.clone();
    all[MAX_SHORT_IDS / 2] = used.short_id;
    unused.remove(MAX_SHORT_IDS / 2);
    assert_eq!(store.unused_short_ids(all).await, Ok(unused));
    assert_eq!(store.unused_short_ids(Vec::new()).await, Ok(Vec::new()));
}

pub(crate) async fn unknown_uploads_are_not_found(store: Shared) {
    let absent = some_upload();
    for name in [UploadRef::Id(absent.id), UploadRef::Short(absent.short_id)] {
        assert_eq!(store.upload(name).await, Err(StoreError::NotFound));
    }
    assert_eq!(store.has_short_id(absent.short_id).await, Ok(false));
    let selects = [
        Select::Newest,
        Select::After(Seq::new(1)),
        Select::Before(Seq::new(1)),
        Select::Since(at(0)),
    ];
    for select in selects {
        let page = store.entries(absent.id, select, 50).await;
        assert_eq!(page, Err(StoreError::NotFound));
    }
    for drafts in [vec![], vec![draft("early")]] {
        let appended = store.append(absent.id, drafts).await;
        assert_eq!(appended, Err(StoreError::NotFound));
    }
    store.insert_upload(absent.clone(), None).await.unwrap();
    let page = store.entries(absent.id, Select::Newest, 50).await.unwrap();
    assert!(page.entries.is_empty(), "nothing was stored before");
}

pub(crate) async fn the_store_answers_a_ping(store: Shared) {
    assert_eq!(store.ping().await, Ok(()));
}

pub(crate) async fn the_newest_uploads_come_first(store: Shared) {
    let mut keys = Vec::new();
    for n in 0..5 {
        let mut upload = some_upload();
        upload.created_at = at(3_600_000 + n);
        keys.insert(0, upload.short_id);
        store.insert_upload(upload, None).await.unwrap();
    }
    for limit in [0, 1, 3, 5] {
        let newest = store.newest_uploads(limit).await.unwrap();
        assert_eq!(newest, keys[..limit]);
    }
    assert!(store.newest_uploads(1_000).await.unwrap().len() >= 5);
}
