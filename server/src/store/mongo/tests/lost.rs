use std::time::Instant;

use super::proxy::{Fault, Proxy};
use super::*;
use crate::store::Appended;

/// Returns the messages' ids, and whether they are new.
fn ids_and_newness(appended: &[Appended]) -> Vec<(MessageId, bool)> {
    let each = appended.iter().map(|answer| match answer {
        Appended::New(message) => (message.id, true),
        Appended::Known(known) => (known.id(), false),
    });
    each.collect()
}

fn ids(drafts: &[Draft], are_new: bool) -> Vec<(MessageId, bool)> {
    drafts.iter().map(|draft| (draft.id, are_new)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn repeating_an_append_whose_reply_was_lost_returns_the_same_messages() {
    let server = testbed::shared::mongo();
    let (database, proxy) = (FreshDatabase::new(server).await, Proxy::start(server).await);
    let store = proxy.open(&database).await;
    let upload = stored(&store).await;
    let first = drafts("lost", 3);
    proxy.arm(Fault::LosesReply);
    let start = Instant::now();
    let undecided = store.append(upload, first.clone()).await;
    assert_eq!(undecided, Err(StoreError::Unavailable));
    assert!(start.elapsed().as_secs() < 3);
    let repeated = store.append(upload, drafts("lost", 4)).await.unwrap();
    assert_eq!(ids_and_newness(&repeated)[..3], ids(&first, false));
    assert!(matches!(repeated[3], Appended::New(_)));
    let expected = ["lost-0", "lost-1", "lost-2", "lost-3"];
    assert_eq!(names(&store, upload).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_recognises_its_own_messages_after_a_broken_connection() {
    let server = testbed::shared::mongo();
    let (database, proxy) = (FreshDatabase::new(server).await, Proxy::start(server).await);
    let store = proxy.open(&database).await;
    let upload = stored(&store).await;
    let drafts = drafts("broken", 3);
    proxy.arm(Fault::Breaks);
    let appended = store.append(upload, drafts.clone()).await.unwrap();
    assert_eq!(ids_and_newness(&appended), ids(&drafts, true));
    assert_eq!(names(&store, upload).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_delayed_insert_is_stored_completely_or_not_at_all() {
    let server = testbed::shared::mongo();
    let (database, proxy) = (FreshDatabase::new(server).await, Proxy::start(server).await);
    let (late, other) = (proxy.open(&database).await, database.open().await);
    let upload = stored(&other).await;
    for (round, is_overtaken) in [true, false].into_iter().enumerate() {
        let before = names(&other, upload).await.len();
        let first = drafts(&format!("late{round}"), 3);
        proxy.arm(Fault::Holds);
        let undecided = late.append(upload, first.clone()).await;
        assert_eq!(undecided, Err(StoreError::Unavailable));
        if is_overtaken {
            let faster = drafts("faster", 1);
            let appended = other.append(upload, faster.clone()).await.unwrap();
            assert_eq!(ids_and_newness(&appended), ids(&faster, true));
        }
        proxy.release().await;
        let stored = names(&other, upload).await.len() - before;
        assert_eq!(stored, if is_overtaken { 1 } else { 3 });
        let second = drafts(&format!("late{round}"), 3);
        let repeated = other.append(upload, second.clone()).await.unwrap();
        let expected = if is_overtaken { second } else { first };
        assert_eq!(ids_and_newness(&repeated), ids(&expected, is_overtaken));
    }
    assert_eq!(names(&late, upload).await.len(), 7);
}
