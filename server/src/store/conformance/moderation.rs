use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use app::model::{BlockedAddress, ListedUpload, Report, Timestamp, UploadId};
use sha2::{Digest, Sha256};

use super::{at, some_upload};
use crate::store::{
    ContentHash, MAX_REPORTS, Moderation, Requester, Store, StoreError, UploadFilter,
};
use crate::{clock, ids};

fn report(n: usize) -> Report {
    Report {
        reason: format!("reason {n}\nof „somebody“").parse().unwrap(),
        created_at: at(i64::try_from(n).unwrap()),
    }
}

/// Inserts an upload that is newer than all others of these tests with a smaller `n`.
async fn stored_at(store: &Arc<impl Store + Moderation>, n: i64) -> UploadId {
    let mut upload = some_upload();
    upload.created_at = at(7_200_000 + n);
    let id = upload.id;
    store.insert_upload(upload, None).await.unwrap();
    id
}

async fn list(
    store: &Arc<impl Store + Moderation>,
    filter: UploadFilter,
    before: Option<UploadId>,
    limit: usize,
) -> Vec<ListedUpload> {
    store.list_uploads(filter, before, limit).await.unwrap()
}

fn ids(listed: &[ListedUpload]) -> Vec<UploadId> {
    listed.iter().map(|listed| listed.upload.id).collect()
}

async fn reports_of(store: &Arc<impl Store + Moderation>, id: UploadId) -> Option<Vec<Report>> {
    let all = list(store, UploadFilter::All, None, 1_000).await;
    let listed = all.into_iter().find(|listed| listed.upload.id == id);
    listed.map(|listed| listed.reports)
}

pub(crate) async fn the_newest_reports_of_an_upload_are_kept(store: Arc<impl Store + Moderation>) {
    let id = stored_at(&store, 50).await;
    assert_eq!(reports_of(&store, id).await, Some(vec![]));
    for n in 0..=MAX_REPORTS {
        store.add_report(id, report(n)).await.unwrap();
    }
    let newest: Vec<_> = (1..=MAX_REPORTS).rev().map(report).collect();
    assert_eq!(reports_of(&store, id).await, Some(newest));
    let unknown = store.add_report(ids::upload_id(), report(0)).await;
    assert_eq!(unknown, Err(StoreError::NotFound));
    assert_eq!(
        store.reports(id).await.map(|all| all.len()),
        Ok(MAX_REPORTS)
    );
    store.dismiss_reports(id).await.unwrap();
    assert_eq!(store.reports(id).await, Ok(vec![]));
    assert_eq!(reports_of(&store, id).await, Some(vec![]));
    store.dismiss_reports(id).await.unwrap();
    store.add_report(id, report(7)).await.unwrap();
    assert_eq!(reports_of(&store, id).await, Some(vec![report(7)]));
    let unknown = store.dismiss_reports(ids::upload_id()).await;
    assert_eq!(unknown, Err(StoreError::NotFound));
}

pub(crate) async fn uploads_are_listed_in_pages_newest_first(store: Arc<impl Store + Moderation>) {
    let mut expected = Vec::new();
    // Some have the same time.
    for n in 0..7 {
        expected.push(stored_at(&store, n / 3).await);
    }
    for id in [expected[1], expected[4], expected[5]] {
        store.add_report(id, report(1)).await.unwrap();
        store.add_report(id, report(2)).await.unwrap();
    }
    let reported = [expected[5], expected[4], expected[1]];
    for (filter, count) in [(UploadFilter::All, 7), (UploadFilter::Reported, 3)] {
        let (mut paged, mut before) = (Vec::new(), None);
        while paged.len() < count {
            let page = list(&store, filter, before, 2.min(count - paged.len())).await;
            assert!(!page.is_empty(), "{filter:?}");
            before = page.last().map(|listed| listed.upload.id);
            paged.extend(ids(&page));
        }
        let is_listed = |id: &UploadId| filter == UploadFilter::All || reported.contains(id);
        let mut those: Vec<_> = expected.iter().copied().filter(is_listed).collect();
        // Uploads of one time come in any order, which is the same for each page.
        let at_once = list(&store, filter, None, count).await;
        assert_eq!(paged, ids(&at_once));
        assert!(at_once.is_sorted_by(|a, b| a.upload.created_at >= b.upload.created_at));
        those.sort_by_key(|id| *id.as_bytes());
        paged.sort_by_key(|id| *id.as_bytes());
        assert_eq!(paged, those, "{filter:?}");
    }
    let one = list(&store, UploadFilter::Reported, None, 1).await;
    assert_eq!(one[0].reports, [report(2), report(1)]);
    assert_eq!(list(&store, UploadFilter::All, None, 0).await, []);
    let unknown = store.list_uploads(UploadFilter::All, Some(ids::upload_id()), 2);
    assert_eq!(unknown.await, Err(StoreError::NotFound));
}

pub(crate) async fn reports_go_with_their_upload(store: Arc<impl Store + Moderation>) {
    let (older, id) = (stored_at(&store, 100).await, stored_at(&store, 101).await);
    store.add_report(older, report(1)).await.unwrap();
    store.add_report(id, report(2)).await.unwrap();
    let admin = Requester::Admin;
    store.delete_upload(id, admin, at(9)).await.unwrap();
    let refused = store.add_report(id, report(3)).await;
    assert_eq!(refused, Err(StoreError::Gone));
    assert_eq!(reports_of(&store, id).await, None);
    // Pages go on after an upload that is gone.
    let page = list(&store, UploadFilter::Reported, Some(id), 1).await;
    assert_eq!(ids(&page), [older]);
    store.finish_removal(id).await.unwrap();
    let page = list(&store, UploadFilter::Reported, Some(id), 1).await;
    assert_eq!(ids(&page), [older]);
}

pub(crate) async fn blocked_images_are_known(store: Arc<impl Store + Moderation>) {
    let hash = || {
        let bytes: [u8; 16] = rand::random();
        ContentHash::from(Sha256::new().chain_update(bytes))
    };
    let (blocked, other) = (hash(), hash());
    assert_eq!(store.is_image_blocked(blocked).await, Ok(false));
    for _ in 0..2 {
        store.block_image(blocked).await.unwrap();
        assert_eq!(store.is_image_blocked(blocked).await, Ok(true));
    }
    assert_eq!(store.is_image_blocked(other).await, Ok(false));
}

pub(crate) async fn addresses_are_blocked_for_a_while(store: Arc<impl Store + Moderation>) {
    let address = || IpAddr::V6(Ipv6Addr::from_bits(rand::random()));
    let (one, other) = (address(), address());
    let until = |seconds: i64| {
        let millis = clock::now().unix_millis() + seconds * 1_000;
        Timestamp::from_unix_millis(millis).unwrap()
    };
    let blocked = async |address| {
        let all = store.blocked_addresses().await.unwrap();
        assert!(all.is_sorted_by(|a, b| a.until >= b.until));
        let found = all.into_iter().find(|it| it.address == address);
        found.map(|it: BlockedAddress| it.until)
    };
    assert_eq!(blocked(one).await, None);
    let (soon, later) = (until(1), until(3_600));
    for until in [later, soon] {
        store.block_address(one, Some(until)).await.unwrap();
        assert_eq!(blocked(one).await, Some(until));
    }
    store.block_address(other, Some(later)).await.unwrap();
    let over = async {
        while blocked(one).await.is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), over)
        .await
        .unwrap();
    assert!(clock::now() >= soon, "it was blocked for a second");
    assert_eq!(blocked(other).await, Some(later));
    for _ in 0..2 {
        store.block_address(other, None).await.unwrap();
        assert_eq!(blocked(other).await, None);
    }
}
