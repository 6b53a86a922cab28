//! Sockets that stop reading: their memory, and how they are closed.

use std::time::Duration;

use app::event::{MAX_WATCHED_UPLOADS, RefusalCode, ServerEvent};
use app::model::{Seq, UploadRef};
use bytes::Bytes;
use futures::future::join_all;
use server::config::HubIntervals;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as WsMessage;

use crate::common::TestNode;
use crate::common::socket_client::SocketClient;

const MIB: usize = 1024 * 1024;

/// The longest text of a message in bytes: 8 kB.
fn long_text() -> String {
    "\u{1F4CC}".repeat(2_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_socket_is_closed_with_1013_and_its_node_keeps_working() {
    let node = TestNode::with_intervals(HubIntervals {
        stuck_after: Duration::from_millis(200),
        ..HubIntervals::default()
    })
    .await;
    let upload = node.uploaded().await;
    let mut slow = SocketClient::connect_with_small_buffer(&node.base()).await;
    slow.watch(UploadRef::Id(upload.id), None).await;
    // Until the kernel accepts no more: one frame is partly written then, and others are queued behind it.
    let text = long_text();
    while node.queued_messages() < 3 {
        node.post_text(upload.id, &text).await;
    }
    node.wait_until("the stalled socket is closed", async || {
        node.node.hub.topic_count() == 0
    })
    .await;
    // The socket is checked several times meanwhile.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(slow.close_code().await, Some(1013));
    drop(slow);
    for _ in 0..10 {
        let answer = timeout(Duration::from_secs(5), node.get("/livez").send()).await;
        assert_eq!(answer.expect("the node responds").unwrap().status(), 200);
    }
    let stopped = timeout(Duration::from_secs(8), node.stop()).await;
    stopped.expect("all tasks end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_send_commands_without_reading_use_bounded_memory() {
    // So that there are no frames but answers.
    let node = TestNode::with_intervals(HubIntervals {
        announce_every: Duration::from_hours(1),
        ..HubIntervals::default()
    })
    .await;
    let upload = node.uploaded().await;
    let text = "\u{1F4CC}".repeat(900);
    join_all((0..64).map(|_| node.post_text(upload.id, &text))).await;
    let before = resident_bytes();
    let mut sockets = Vec::new();
    for _ in 0..10 {
        let mut socket = SocketClient::connect_with_small_buffer(&node.base()).await;
        for after in 0..50 {
            // Different answers of up to 250 kB each, and more than the kernel accepts.
            socket
                .send_watch(UploadRef::Id(upload.id), Some(Seq::new(after % 8)))
                .await;
        }
        sockets.push(socket);
    }
    node.wait_until("an answer is queued for each of them", async || {
        node.queued_messages() >= 10
    })
    .await;
    assert!(node.node.hub.queued_bytes() > 0);
    assert!(node.node.hub.queued_bytes() < 3 * MIB, "shared by all");
    assert_eq!(node.queued_messages(), 10, "one answer for each socket");
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 64 * MIB, "{grown} bytes");
    // A socket that reads gets every answer; the queue of a closed one is freed.
    sockets.truncate(2);
    for socket in &mut sockets {
        for after in 0..50 {
            let answer = socket.event().await;
            let ServerEvent::Watched { entries, .. } = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(entries[0].seq(), Seq::new(after % 8 + 1));
        }
    }
    node.wait_until("no byte is queued any more", async || {
        node.node.hub.queued_bytes() == 0
    })
    .await;
}

#[tokio::test]
async fn watches_beyond_the_rate_are_dropped_and_refused_once() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    let name = UploadRef::Id(upload.id);
    for _ in 0..150 {
        socket.send_watch(name, None).await;
    }
    socket.send_raw(WsMessage::Ping(Bytes::new())).await;
    let (mut watched, mut refused) = (0, 0);
    loop {
        match socket.frame().await {
            Some(WsMessage::Pong(_)) => break,
            Some(WsMessage::Text(text)) => match serde_json::from_str(&text).unwrap() {
                ServerEvent::Watched { .. } => watched += 1,
                ServerEvent::Refused(refusal) => {
                    assert_eq!(refusal.code, RefusalCode::TooManyWatches);
                    refused += 1;
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
    assert!((64..80).contains(&watched), "{watched} of 150");
    assert_eq!(refused, 1);
}

#[tokio::test]
async fn the_watches_of_all_uploads_are_allowed_twice_at_once() {
    let node = TestNode::start().await;
    let mut uploads = Vec::new();
    for _ in 0..MAX_WATCHED_UPLOADS {
        uploads.push(node.uploaded().await.id);
    }
    let mut socket = SocketClient::connect(&node.base()).await;
    for upload in uploads.iter().chain(&uploads) {
        socket.send_watch(UploadRef::Id(*upload), None).await;
    }
    for upload in uploads.iter().chain(&uploads) {
        let answer = socket.event().await;
        assert!(
            matches!(answer, ServerEvent::Watched { upload_id, .. } if upload_id == *upload),
            "{answer:?}"
        );
    }
}

/// The resident memory of this process in bytes.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<usize>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_kernel_buffers_little_for_a_socket_that_does_not_read() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    let text = long_text();
    let mut accepted = 0;
    while node.queued_messages() == 0 {
        join_all((0..10).map(|_| node.post_text(upload.id, &text))).await;
        accepted += 10 * text.len();
    }
    // This includes what the client's kernel has received.
    assert!(accepted < MIB, "{accepted} bytes");
    drop(socket);
}
