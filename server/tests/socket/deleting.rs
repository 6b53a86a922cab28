//! Deletions as sockets are told of them.

use std::time::Duration;

use app::event::{RefusalCode, ServerEvent};
use app::model::{LogEntry, Seq, Timestamp, Upload, UploadRef};
use reqwest::StatusCode;
use serde_json::json;
use server::config::HubIntervals;
use server::{clock, ids};

use crate::common::TestNode;
use crate::common::faults::{Mode, Switches};
use crate::common::pictures;
use crate::common::socket_client::SocketClient;

const SECRET: &str = "0123456789abcdef-owner";

async fn uploaded(node: &TestNode) -> Upload {
    let form = crate::common::file_form(pictures::png(20, 10));
    let post = node
        .post("/api/uploads")
        .bearer_auth(SECRET)
        .multipart(form);
    post.send().await.unwrap().json().await.unwrap()
}

async fn delete(node: &TestNode, path: &str) {
    let response = node.delete(path).bearer_auth(SECRET).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
}

#[tokio::test]
async fn watchers_get_the_whole_deletion_and_those_who_come_later_what_is_left() {
    let node = TestNode::start().await;
    let upload = uploaded(&node).await;
    let watched = UploadRef::Id(upload.id);
    let mut early = SocketClient::connect(&node.base()).await;
    early.watch(watched, None).await;
    node.post_numbered(upload.id, 3).await;
    delete(
        &node,
        &format!("/api/uploads/{}/messages/2", upload.short_id),
    )
    .await;
    let deletion = loop {
        match early.event().await {
            ServerEvent::MessageDeleted { upload_id, entry } => break (upload_id, entry),
            ServerEvent::MessagePosted { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(deletion.0, upload.id);
    assert_eq!(
        (deletion.1.seq, deletion.1.deletes),
        (Seq::new(4), Seq::new(2))
    );
    let mut late = SocketClient::connect(&node.base()).await;
    // The second answer is from memory.
    for after in [None, Some(Seq::new(1)), Some(Seq::new(1))] {
        late.send_watch(watched, after).await;
        let event = late.event().await;
        let ServerEvent::Watched { head, entries, .. } = event else {
            panic!("{event:?}");
        };
        assert_eq!(head, Seq::new(4));
        let number = |entry: &LogEntry| entry.seq().get();
        let first = after.map_or(1, |after| after.get() + 1);
        assert!(entries.iter().map(number).eq(first..=4), "{entries:?}");
        let texts = entries
            .iter()
            .filter_map(LogEntry::message)
            .map(|it| it.seq.get());
        let expected: Vec<_> = [1, 3].into_iter().filter(|seq| *seq >= first).collect();
        assert_eq!(texts.collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn watchers_are_told_once_that_an_upload_is_gone_and_no_watch_begins() {
    let node = TestNode::start().await;
    let upload = uploaded(&node).await;
    let watched = UploadRef::Short(upload.short_id);
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(watched, None).await;
    delete(&node, &format!("/api/uploads/{}", upload.id)).await;
    let event = socket.event().await;
    assert_eq!(
        event,
        ServerEvent::UploadDeleted {
            upload_id: upload.id
        }
    );
    socket.touch(watched, 0.5, 0.5, "tab").await;
    socket.send_watch(watched, None).await;
    assert_eq!(socket.refusal().await.code, RefusalCode::Gone);
    let mut other = SocketClient::connect(&node.base()).await;
    other.send_watch(watched, None).await;
    assert_eq!(other.refusal().await.code, RefusalCode::Gone);
}

#[tokio::test]
async fn watchers_are_told_although_every_frame_is_lost() {
    let switches = Switches::default();
    let intervals = HubIntervals {
        announce_every: Duration::from_millis(300),
        ..HubIntervals::default()
    };
    let wrap = switches.clone();
    let node = TestNode::with_all(&[], intervals, move |backends| wrap.wrap(backends)).await;
    let upload = uploaded(&node).await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    node.post_numbered(upload.id, 2).await;
    for _ in 0..2 {
        socket.posted().await;
    }
    switches.broker.set(Mode::Lossy);
    delete(&node, &format!("/api/uploads/{}/messages/1", upload.id)).await;
    let head = loop {
        if let ServerEvent::HeadAdvanced { head, .. } = socket.event().await
            && head > Seq::new(2)
        {
            break head;
        }
    };
    assert_eq!(head, Seq::new(3));
    delete(&node, &format!("/api/uploads/{}", upload.id)).await;
    loop {
        match socket.event().await {
            ServerEvent::UploadDeleted { .. } => break,
            ServerEvent::HeadAdvanced { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn that_an_upload_is_gone_is_not_believed_before_the_store_says_so() {
    let switches = Switches::default();
    let wrap = switches.clone();
    let node = TestNode::with_backends(&[], move |backends| wrap.wrap(backends)).await;
    let upload = uploaded(&node).await;
    let watched = UploadRef::Id(upload.id);
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(watched, None).await;
    let text = json!({"type": "uploadDeleted", "data": {"uploadID": upload.id}}).to_string();
    let frame = server::broker::Frame {
        class: server::broker::DeliveryClass::Message,
        text: text.into(),
    };
    switches.receiver().deliver(upload.id, frame);
    // What is posted after it is still delivered, and the only event.
    node.post_numbered(upload.id, 1).await;
    let event = socket.event().await;
    assert!(
        matches!(event, ServerEvent::MessagePosted { .. }),
        "{event:?}"
    );
    delete(&node, &format!("/api/uploads/{}", upload.id)).await;
    let event = socket.event().await;
    assert!(
        matches!(event, ServerEvent::UploadDeleted { .. }),
        "{event:?}"
    );
}

#[tokio::test]
async fn watchers_are_told_when_an_upload_expires_and_no_watch_begins() {
    let intervals = HubIntervals {
        // Longer than the test.
        announce_every: Duration::from_hours(1),
        ..HubIntervals::default()
    };
    let node = TestNode::with_intervals(intervals).await;
    let mut upload = uploaded(&node).await;
    upload.id = ids::upload_id();
    upload.short_id = ids::short_id();
    upload.expires_at = Timestamp::from_unix_millis(clock::now().unix_millis() + 3_000);
    let store = &node.node.store;
    store.insert_upload(upload.clone(), None).await.unwrap();
    let watched = UploadRef::Id(upload.id);
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(watched, None).await;
    let event = socket.event().await;
    let upload_id = upload.id;
    assert_eq!(event, ServerEvent::UploadDeleted { upload_id });
    assert!(upload.expires_at <= Some(clock::now()));
    let mut other = SocketClient::connect(&node.base()).await;
    other.send_watch(watched, None).await;
    assert_eq!(other.refusal().await.code, RefusalCode::Gone);
}
