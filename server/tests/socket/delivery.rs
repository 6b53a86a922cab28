//! Messages arrive once, in order and without gaps; slow, silent and closed sockets do not affect others.

use std::time::Duration;

use crate::common::TestNode;
use crate::common::socket_client::SocketClient;
use app::event::ServerEvent;
use app::model::{Seq, UploadRef};
use futures::future::join_all;
use server::config::HubIntervals;

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_concurrent_writers_arrive_without_gaps_and_in_one_order() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut watchers = Vec::new();
    for _ in 0..10 {
        let mut watcher = SocketClient::connect(&node.base()).await;
        watcher.watch(UploadRef::Id(upload.id), None).await;
        watchers.push(watcher);
    }
    let readers = watchers.into_iter().map(|mut watcher| {
        tokio::spawn(async move {
            let mut received = Vec::new();
            while received.len() < 500 {
                received.push(watcher.posted().await);
            }
            received
        })
    });
    let readers: Vec<_> = readers.collect();
    let writers = (0..20).map(|writer| {
        let node = &node;
        async move {
            for n in 0..25 {
                node.post_text(upload.id, &format!("{writer}/{n}")).await;
            }
        }
    });
    join_all(writers).await;

    let stored = node.all_messages(upload.id).await;
    assert_eq!(stored.len(), 500);
    for reader in join_all(readers).await {
        let received = reader.unwrap();
        assert!(
            received
                .iter()
                .zip(1..)
                .all(|(message, seq)| message.seq == Seq::new(seq)),
            "in order and without gaps"
        );
        assert_eq!(received, stored);
    }
    for writer in 0..20 {
        let own: Vec<_> = stored
            .iter()
            .map(|message| message.content.as_str())
            .filter(|text| text.split('/').next() == Some(writer.to_string().as_str()))
            .collect();
        let expected: Vec<_> = (0..25).map(|n| format!("{writer}/{n}")).collect();
        assert_eq!(own, expected, "each writer's messages keep their order");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_does_not_read_is_closed_with_1013_and_others_miss_nothing() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut slow = SocketClient::connect_with_small_buffer(&node.base()).await;
    let mut quick = SocketClient::connect(&node.base()).await;
    slow.watch(UploadRef::Id(upload.id), None).await;
    quick.watch(UploadRef::Id(upload.id), None).await;
    // More than the connection's buffers and the outbox can hold.
    let (count, text) = (1_000, "\u{1F4CC}".repeat(2_000));
    let reader = tokio::spawn(async move {
        for seq in 1..=count {
            assert_eq!(quick.posted().await.seq, Seq::new(seq));
        }
    });
    for _ in 0..count / 50 {
        join_all((0..50).map(|_| node.post_text(upload.id, &text))).await;
    }
    reader
        .await
        .expect("the quick watcher got everything in order");
    assert_eq!(slow.close_code().await, Some(1013));
}

#[tokio::test]
async fn the_head_is_announced_again_after_a_post() {
    let node = TestNode::with_intervals(HubIntervals {
        announce_every: Duration::from_millis(50),
        ..HubIntervals::default()
    })
    .await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    node.post_numbered(upload.id, 3).await;
    loop {
        if let ServerEvent::HeadAdvanced { upload_id, head } = socket.event().await {
            assert_eq!(upload_id, upload.id);
            if head == Seq::new(3) {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_repeated_post_is_delivered_once() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    let (status, first) = node.post_as(upload.id, "same", "once").await;
    assert_eq!(status, 201);
    let (status, again) = node.post_as(upload.id, "same", "once").await;
    assert_eq!((status, &again), (200, &first));
    let after = node.post_text(upload.id, "next").await;
    assert_eq!(socket.posted().await, first);
    assert_eq!(socket.posted().await, after);
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_is_disconnected() {
    let node = TestNode::with_intervals(HubIntervals {
        ping_every: Duration::from_millis(50),
        ..HubIntervals::default()
    })
    .await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    assert_eq!(node.node.hub.topic_count(), 1);
    // The client library answers pings only while it is polled.
    node.wait_until("the silent peer has left its room", async || {
        node.node.hub.topic_count() == 0
    })
    .await;
}

#[tokio::test]
async fn a_closed_socket_leaves_its_rooms() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    assert_eq!(node.node.hub.topic_count(), 1);
    drop(socket);
    node.wait_until("the room is empty", async || {
        node.node.hub.topic_count() == 0
    })
    .await;
}

#[tokio::test]
async fn a_node_that_shuts_down_closes_its_sockets_with_1012() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut watching = SocketClient::connect(&node.base()).await;
    watching.watch(UploadRef::Id(upload.id), None).await;
    let mut idle = SocketClient::connect(&node.base()).await;
    let ((), watching, idle) = tokio::join!(node.stop(), watching.close_code(), idle.close_code());
    assert_eq!((watching, idle), (Some(1012), Some(1012)));
}
