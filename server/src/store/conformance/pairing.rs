use std::sync::Arc;

use tokio::task::JoinSet;

use super::Shared;
use crate::ids::PairingId;

pub(crate) async fn the_first_pairing_id_is_kept(store: Shared) {
    let first = store.pair(PairingId::random()).await.unwrap();
    assert_eq!(store.pairing().await, Ok(Some(first)));
    assert_eq!(store.pair(PairingId::random()).await, Ok(first));
    assert_eq!(store.pairing().await, Ok(Some(first)));
}

pub(crate) async fn one_of_many_concurrent_pairing_ids_is_kept(store: Shared) {
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.pair(PairingId::random()).await.unwrap() });
    }
    let ids = tasks.join_all().await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(store.pairing().await, Ok(Some(ids[0])));
}
