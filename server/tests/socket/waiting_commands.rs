//! Sockets whose command waits for a backend.

use std::time::Duration;

use app::event::ServerEvent;
use app::model::{Seq, UploadRef};
use server::config::HubIntervals;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as WsMessage;

use crate::common::TestNode;
use crate::common::faults::{Mode, Switches};
use crate::common::socket_client::SocketClient;

#[tokio::test]
async fn events_arrive_while_a_watch_waits_for_the_store_and_commands_keep_their_order() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let (upload, other) = (node.uploaded().await, node.uploaded().await);
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    let mut toucher = SocketClient::connect(&node.base()).await;
    toucher.watch(UploadRef::Id(upload.id), None).await;
    switches.store.set(Mode::Blocked);
    let before = switches.store.calls();
    socket.send_watch(UploadRef::Id(other.id), None).await;
    socket.touch(UploadRef::Id(other.id), 0.5, 0.5, "t").await;
    node.wait_until("the store is asked", async || {
        switches.store.calls() > before
    })
    .await;
    toucher.touch(UploadRef::Id(upload.id), 0.5, 0.5, "t").await;
    let event = socket.event().await;
    assert!(
        matches!(event, ServerEvent::Touched { upload_id, .. } if upload_id == upload.id),
        "{event:?}"
    );
    switches.store.set(Mode::Working);
    let event = socket.event().await;
    assert!(
        matches!(event, ServerEvent::Watched { upload_id, .. } if upload_id == other.id),
        "the touch did not overtake the watch: {event:?}"
    );
    let event = socket.event().await;
    assert!(matches!(event, ServerEvent::Touched { upload_id, .. } if upload_id == other.id));
}

#[tokio::test]
async fn a_large_backlog_is_written_while_a_watch_waits_for_the_store() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let (upload, other) = (node.uploaded().await, node.uploaded().await);
    let mut socket = SocketClient::connect_with_small_buffer(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    switches.store.set(Mode::Working);
    let before = switches.store.calls();
    // Until the kernel accepts no more, so that the socket's own task has to write the rest.
    let text = "\u{1F4CC}".repeat(2_000);
    let mut posted = 0;
    while node.queued_messages() < 3 {
        node.post_text(upload.id, &text).await;
        posted += 1;
    }
    let calls = switches.store.calls();
    assert!(calls > before);
    switches.store.set(Mode::Blocked);
    socket.send_watch(UploadRef::Id(other.id), None).await;
    node.wait_until("the store is asked", async || {
        switches.store.calls() > calls
    })
    .await;
    for seq in 1..=posted {
        assert_eq!(socket.posted().await.seq, Seq::new(seq));
    }
}

#[tokio::test]
async fn a_node_stops_while_a_watch_waits_for_the_store_or_the_broker() {
    for (store, broker) in [
        (Mode::Hanging, Mode::Working),
        (Mode::Working, Mode::Hanging),
    ] {
        let switches = Switches::default();
        let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
        let upload = node.uploaded().await;
        switches.store.set(store);
        switches.broker.set(broker);
        let calls = || switches.store.calls() + switches.broker.calls();
        let before = calls();
        let mut socket = SocketClient::connect(&node.base()).await;
        socket.send_watch(UploadRef::Id(upload.id), None).await;
        node.wait_until("a backend is asked", async || calls() > before)
            .await;
        let stop = async { timeout(Duration::from_secs(4), node.stop()).await };
        let (stopped, code) = tokio::join!(stop, socket.close_code());
        assert_eq!(code, Some(1012));
        stopped.expect("stopping does not wait for the backend");
    }
}

#[tokio::test]
async fn a_socket_is_not_closed_as_silent_while_the_node_does_not_read() {
    let switches = Switches::default();
    let pace = HubIntervals {
        ping_every: Duration::from_millis(100),
        ..HubIntervals::default()
    };
    let node = TestNode::with_all(&[], pace, |backends| switches.wrap(backends)).await;
    let (upload, other) = (node.uploaded().await, node.uploaded().await);
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    switches.store.set(Mode::Blocked);
    socket.send_watch(UploadRef::Id(other.id), None).await;
    // A socket that answers no ping is closed after 300 ms, as the other one shows.
    let mut silent = SocketClient::connect(&node.base()).await;
    silent.send_raw(WsMessage::Ping("here".into())).await;
    node.wait_until("the silent socket is closed", async || {
        node.node.sockets.taken() == 1
    })
    .await;
    switches.store.set(Mode::Working);
    let event = socket.event().await;
    assert!(
        matches!(event, ServerEvent::Watched { upload_id, .. } if upload_id == other.id),
        "{event:?}"
    );
}

#[tokio::test]
async fn background_tasks_stop_while_a_backend_hangs() {
    let switches = Switches::default();
    let pace = HubIntervals {
        announce_every: Duration::from_millis(50),
        ..HubIntervals::default()
    };
    let node = TestNode::with_all(&[], pace, |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    node.post_numbered(upload.id, 2).await;
    let calls = (switches.store.calls(), switches.broker.calls());
    switches.store.set(Mode::Hanging);
    switches.broker.set(Mode::Hanging);
    node.node.hub.announce_head(upload.id, Seq::new(2));
    node.wait_until("both are asked", async || {
        switches.store.calls() > calls.0 && switches.broker.calls() > calls.1
    })
    .await;
    let stopped = timeout(Duration::from_secs(4), node.stop()).await;
    stopped.expect("head announcer and reconciler are cancelled");
}
