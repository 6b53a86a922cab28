//! Sockets that stop reading: what they cost, and how they end.

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

/// The longest text of a message, in its largest form: 8 kB.
fn long_text() -> String {
    "\u{1F4CC}".repeat(2_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_socket_that_reads_again_gets_1013_and_its_node_goes_on() {
    let node = TestNode::with_intervals(HubIntervals {
        stuck_after: Duration::from_millis(200),
        ..HubIntervals::default()
    })
    .await;
    let upload = node.uploaded().await;
    let mut slow = SocketClient::connect_with_little_room(&node.base()).await;
    slow.watch(UploadRef::Id(upload.id), None).await;
    // Until the kernel takes no more: one frame is written in part then, and others wait behind it.
    let text = long_text();
    while node.node.hub.waiting().0 < 3 {
        node.say_one(upload.id, &text).await;
    }
    node.until("the stalled socket is given up", async || {
        node.node.hub.topics() == 0
    })
    .await;
    // The keeper looks again and again meanwhile.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(slow.close_code().await, Some(1013));
    drop(slow);
    for _ in 0..10 {
        let answer = timeout(Duration::from_secs(5), node.get("/livez").send()).await;
        assert_eq!(answer.expect("the node answers").unwrap().status(), 200);
    }
    let stopped = timeout(Duration::from_secs(8), node.stop()).await;
    stopped.expect("nothing is left that does not end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_ask_and_read_nothing_take_a_bounded_amount() {
    // So that nothing but answers is told.
    let node = TestNode::with_intervals(HubIntervals {
        announce_every: Duration::from_hours(1),
        ..HubIntervals::default()
    })
    .await;
    let upload = node.uploaded().await;
    let text = "\u{1F4CC}".repeat(900);
    join_all((0..64).map(|_| node.say_one(upload.id, &text))).await;
    let before = resident();
    let mut sockets = Vec::new();
    for _ in 0..10 {
        let mut socket = SocketClient::connect_with_little_room(&node.base()).await;
        for after in 0..50 {
            // Answers that differ, of up to 250 kB each, and more of them than the kernel takes.
            socket
                .ask(UploadRef::Id(upload.id), Some(Seq::new(after % 8)))
                .await;
        }
        sockets.push(socket);
    }
    node.until("an answer waits for each of them", async || {
        node.node.hub.waiting().0 >= 10
    })
    .await;
    assert!(node.node.hub.bytes_waiting() > 0);
    assert!(node.node.hub.bytes_waiting() < 3 * MIB, "shared by all");
    assert_eq!(node.node.hub.waiting().0, 10, "one answer for each socket");
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 * MIB, "{grown} bytes");
    // Whoever reads gets every answer in the end; what waited for one that leaves is gone.
    sockets.truncate(2);
    for socket in &mut sockets {
        for after in 0..50 {
            let answer = socket.event().await;
            let ServerEvent::Watched { messages, .. } = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(messages[0].seq, Seq::new(after % 8 + 1));
        }
    }
    node.until("nothing waits any more", async || {
        node.node.hub.bytes_waiting() == 0
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
        socket.ask(name, None).await;
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
async fn a_socket_may_watch_all_its_uploads_at_once_twice() {
    let node = TestNode::start().await;
    let mut uploads = Vec::new();
    for _ in 0..MAX_WATCHED_UPLOADS {
        uploads.push(node.uploaded().await.id);
    }
    let mut socket = SocketClient::connect(&node.base()).await;
    for upload in uploads.iter().chain(&uploads) {
        socket.ask(UploadRef::Id(*upload), None).await;
    }
    for upload in uploads.iter().chain(&uploads) {
        let answer = socket.event().await;
        assert!(
            matches!(answer, ServerEvent::Watched { upload_id, .. } if upload_id == *upload),
            "{answer:?}"
        );
    }
}

/// How much memory this process has, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<usize>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_kernel_keeps_little_for_a_socket_that_reads_nothing() {
    let node = TestNode::start().await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    let text = long_text();
    let mut taken = 0;
    while node.node.hub.waiting().0 == 0 {
        join_all((0..10).map(|_| node.say_one(upload.id, &text))).await;
        taken += 10 * text.len();
    }
    // What the client's own kernel has received is a part of it.
    assert!(taken < MIB, "{taken} bytes");
    drop(socket);
}
