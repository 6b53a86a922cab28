//! Pairing of nodes that start together with a new database and bucket, and of incomplete databases.

use futures::future::join_all;
use mongodb::bson::doc;
use tempfile::TempDir;

use super::*;
use crate::app::backends::{self, Backends};
use crate::app::metrics::Metrics;
use crate::app::sweeper::pairing::{Pairing, check};
use crate::store::mongo::OpenError;

async fn node(database: &FreshDatabase, s3: &testbed::S3) -> (backends::OpenBackends, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::from_env(&|name| match name {
        "MONGO_URL" => Some((&database.url).into()),
        "TONESA_DATA_DIR" => Some(folder.path().into()),
        "S3_BUCKET_NAME" => Some(s3.bucket().into()),
        "S3_ENDPOINT" => Some(s3.endpoint().into()),
        "AWS_ACCESS_KEY_ID" => Some(s3.access_key().into()),
        "AWS_SECRET_ACCESS_KEY" => Some(s3.secret_key().into()),
        _ => None,
    });
    let opened = backends::open(&config.unwrap(), &Metrics::default()).await;
    (opened.unwrap(), folder)
}

async fn pairing(backends: &Backends) -> Pairing {
    let checked = check(backends.store.as_ref(), backends.blobs.as_ref()).await;
    checked.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_together_agree_on_one_id_and_a_dropped_database_is_a_mismatch() {
    let database = FreshDatabase::new(testbed::shared::mongo()).await;
    let s3 = testbed::S3::start().unwrap();
    let nodes = join_all((0..4).map(|_| node(&database, &s3))).await;
    // A node that read before a majority had the other's id checks again later.
    join_all(nodes.iter().map(async |(node, _)| {
        let backends = &node.backends;
        let _too_early = check(backends.store.as_ref(), backends.blobs.as_ref()).await;
    }))
    .await;
    let first = pairing(&nodes[0].0.backends).await;
    assert!(matches!(first, Pairing::Paired(_)), "{first:?}");
    for (node, _) in &nodes {
        assert_eq!(pairing(&node.backends).await, first);
    }
    let Pairing::Paired(id) = first else {
        unreachable!()
    };
    let kept = database.collection("pairing").await;
    let document = kept.find_one(doc! {}).await.unwrap().unwrap();
    kept.drop().await.unwrap();
    let store = None;
    let text = Pairing::Mismatch { store, blobs: id };
    assert_eq!(pairing(&nodes[1].0.backends).await, text);
    kept.insert_one(document).await.unwrap();
    assert_eq!(pairing(&nodes[2].0.backends).await, first);
    for (node, _folder) in nodes {
        node.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_a_missing_collection_is_refused() {
    for (lost, kept) in [("messages", "uploads"), ("uploads", "messages")] {
        let database = FreshDatabase::new(testbed::shared::mongo()).await;
        let store = database.open().await;
        let id = stored(&store).await;
        store.append(id, drafts("first", 1)).await.unwrap();
        store.close().await;
        database.collection(lost).await.drop().await.unwrap();
        let refused = MongoStore::open(&secret(&database.url)).await.err();
        assert_eq!(refused, Some(OpenError::Missing(lost)));
        // An interrupted start leaves empty collections.
        let kept = database.collection(kept).await;
        kept.delete_many(doc! {}).await.unwrap();
        database.open().await;
    }
}
