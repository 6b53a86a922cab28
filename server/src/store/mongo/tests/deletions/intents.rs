//! Intents of interrupted deletions that cannot be followed: they are invalid, or not those of the log any more.

use mongodb::bson::oid::ObjectId;

use super::*;

/// An id that comes before all random ones.
fn before_all(n: u8) -> ObjectId {
    ObjectId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, n])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_interrupted_deletion_does_not_delete_the_message_that_has_the_number_after_a_restore() {
    let deletion = Interrupted::before("insert", "messages", old_deletion()).await;
    let (other, upload) = (&deletion.other, deletion.upload);
    let messages = deletion.database.collection("messages").await;
    let beyond_backup = doc! { "seq": { "$gte": 2_i64 } };
    messages.delete_many(beyond_backup).await.unwrap();
    // A node that remembers no head.
    let restarted = deletion.database.open().await;
    let after = drafts("after", 1);
    restarted.append(upload, after).await.unwrap();
    let before = log(other, upload).await;
    assert_eq!(other.finish_deletions(9).await, Ok(vec![]));
    assert_eq!(log(other, upload).await, before);
    assert_eq!(names(other, upload).await, ["m-0", "after-0"]);
    assert_eq!(deletion.intents().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_interrupted_deletion_of_a_message_that_a_restore_has_lost_is_dropped() {
    let deletion = Interrupted::before("insert", "messages", old_deletion()).await;
    let (other, upload) = (&deletion.other, deletion.upload);
    let messages = deletion.database.collection("messages").await;
    let beyond_backup = doc! { "seq": { "$gte": 2_i64 } };
    messages.delete_many(beyond_backup).await.unwrap();
    assert_eq!(other.finish_deletions(9).await, Ok(vec![]));
    assert_eq!(names(other, upload).await, ["m-0"]);
    assert_eq!(deletion.intents().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invalid_intent_does_not_keep_others_from_being_finished() {
    let deletion = Interrupted::before("insert", "messages", old_deletion()).await;
    let intents = deletion.database.collection("deletions").await;
    let valid = intents.find_one(doc! {}).await.unwrap().unwrap();
    intents.delete_one(doc! {}).await.unwrap();
    let created_at = valid.get_datetime("createdAt").unwrap();
    let invalid = [
        doc! { "_id": "not an id", "createdAt": created_at },
        doc! { "_id": before_all(0), "createdAt": created_at, "deletes": "not a number" },
    ];
    intents.insert_many(invalid).await.unwrap();
    intents.insert_one(valid).await.unwrap();
    let finished = deletion.other.finish_deletions(1).await.unwrap();
    assert_eq!(finished.len(), 1);
    deletion.assert_finished().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invalid_intent_does_not_keep_its_message_from_being_deleted() {
    let deletion = Interrupted::before("insert", "messages", old_deletion()).await;
    let (other, upload) = (&deletion.other, deletion.upload);
    let intents = deletion.database.collection("deletions").await;
    let spoil = doc! { "$set": { "deletes": "not a number" } };
    intents.update_one(doc! {}, spoil).await.unwrap();
    let deleted = delete(other, upload, 2).await;
    assert!(matches!(deleted, Ok(Deleted::New(_))), "{deleted:?}");
    assert_eq!(log(other, upload).await.len(), 4);
    assert_eq!(deletion.intents().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_waits_while_the_message_is_invalid_and_others_do_not() {
    let deletion = Interrupted::before("insert", "messages", old_deletion()).await;
    let (other, upload) = (&deletion.other, deletion.upload);
    let messages = deletion.database.collection("messages").await;
    let second = doc! { "seq": 2_i64 };
    let spoil = doc! { "$set": { "owner": "not a hash" } };
    messages.update_one(second.clone(), spoil).await.unwrap();
    let third = messages.find_one(doc! { "seq": 3_i64 }).await.unwrap();
    let intents = deletion.database.collection("deletions").await;
    let mut intent = intents.find_one(doc! {}).await.unwrap().unwrap();
    intent.insert("_id", third.unwrap().get_object_id("_id").unwrap());
    intent.insert("deletes", 3_i64);
    intent.insert("entryID", ObjectId::new());
    intents.insert_one(intent).await.unwrap();
    let finished = other.finish_deletions(1).await.unwrap();
    assert!(matches!(&finished[..], [only] if only.deletes == Seq::new(3)));
    assert_eq!(other.finish_deletions(1).await, Ok(vec![]));
    assert_eq!(deletion.intents().await, 1);
    let mend = doc! { "$unset": { "owner": "" } };
    messages.update_one(second, mend).await.unwrap();
    let finished = other.finish_deletions(1).await.unwrap();
    assert!(matches!(&finished[..], [only] if only.id == deletion.draft.id));
    assert_eq!(log(other, upload).await.len(), 5);
    assert_eq!(deletion.intents().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_deletions_that_cannot_be_finished_keep_no_other_from_it() {
    let deletion = Interrupted::before("insert", "messages", old_deletion()).await;
    let other = &deletion.other;
    let messages = deletion.database.collection("messages").await;
    let spoil = doc! { "$set": { "owner": "not a hash" } };
    let second = doc! { "seq": 2_i64 };
    messages.update_one(second, spoil).await.unwrap();
    let third = messages.find_one(doc! { "seq": 3_i64 }).await.unwrap();
    let intents = deletion.database.collection("deletions").await;
    let stuck = intents.find_one(doc! {}).await.unwrap().unwrap();
    intents.delete_one(doc! {}).await.unwrap();
    let intent = |id: ObjectId, deletes: i64| {
        let mut intent = stuck.clone();
        intent.insert("_id", id);
        intent.insert("deletes", deletes);
        intent
    };
    let many = (0..12).map(|n| intent(before_all(n), 2));
    intents.insert_many(many).await.unwrap();
    let third = third.unwrap().get_object_id("_id").unwrap();
    intents.insert_one(intent(third, 3)).await.unwrap();
    let finished = other.finish_deletions(1).await;
    assert_eq!(finished, Ok(vec![]), "as many as are read at once");
    let finished = other.finish_deletions(1).await.unwrap();
    assert!(matches!(&finished[..], [only] if only.deletes == Seq::new(3)));
    assert_eq!(other.finish_deletions(1).await, Ok(vec![]));
    assert_eq!(deletion.intents().await, 12);
}
