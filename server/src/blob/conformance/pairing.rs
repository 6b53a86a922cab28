use tokio::task::JoinSet;

use super::Fixture;
use crate::ids::PairingId;

pub(crate) async fn the_first_pairing_id_is_stored_and_not_listed_as_a_blob(fixture: Fixture) {
    let blobs = &fixture.blobs;
    let before = blobs.list(None, 1_000).await.unwrap();
    let first = blobs.pair(PairingId::random()).await.unwrap();
    assert_eq!(blobs.pairing().await, Ok(Some(first)));
    assert_eq!(blobs.pair(PairingId::random()).await, Ok(first));
    assert_eq!(blobs.pairing().await, Ok(Some(first)));
    let after = blobs.list(None, 1_000).await.unwrap();
    assert!(before.iter().all(|entry| after.contains(entry)));
}

pub(crate) async fn concurrent_pairings_with_one_id_agree(fixture: Fixture) {
    let id = PairingId::random();
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let blobs = fixture.blobs.clone();
        tasks.spawn(async move { blobs.pair(id).await.unwrap() });
    }
    let ids = tasks.join_all().await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(fixture.blobs.pairing().await, Ok(Some(ids[0])));
}
