//! What goes on while a command waits for a backend.

use std::time::Duration;

use app::event::ServerEvent;
use app::model::{Seq, UploadRef};
use server::config::HubIntervals;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as WsMessage;

use crate::common::TestNode;
use crate::common::faults::{Mood, Switches};
use crate::common::socket_client::SocketClient;

#[tokio::test]
async fn messages_arrive_while_a_watch_waits_for_the_store_and_commands_keep_their_order() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let (upload, other) = (node.uploaded().await, node.uploaded().await);
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    let mut toucher = SocketClient::connect(&node.base()).await;
    toucher.watch(UploadRef::Id(upload.id), None).await;
    switches.store.set(Mood::Slow);
    let before = switches.store.calls();
    socket.ask(UploadRef::Id(other.id), None).await;
    socket.touch(UploadRef::Id(other.id), 0.5, 0.5, "t").await;
    node.until("the store is asked", async || {
        switches.store.calls() > before
    })
    .await;
    toucher.touch(UploadRef::Id(upload.id), 0.5, 0.5, "t").await;
    let told = socket.event().await;
    assert!(
        matches!(told, ServerEvent::Touched { upload_id, .. } if upload_id == upload.id),
        "{told:?}"
    );
    switches.store.set(Mood::Well);
    let told = socket.event().await;
    assert!(
        matches!(told, ServerEvent::Watched { upload_id, .. } if upload_id == other.id),
        "the touch did not overtake the watch: {told:?}"
    );
    let told = socket.event().await;
    assert!(matches!(told, ServerEvent::Touched { upload_id, .. } if upload_id == other.id));
}

#[tokio::test]
async fn a_large_backlog_is_written_while_a_watch_waits_for_the_store() {
    let switches = Switches::default();
    let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
    let (upload, other) = (node.uploaded().await, node.uploaded().await);
    let mut socket = SocketClient::connect_with_little_room(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    switches.store.set(Mood::Well);
    let before = switches.store.calls();
    // Written until the kernel takes no more, so that the rest has to be written by the socket's own task.
    let text = "\u{1F4CC}".repeat(2_000);
    let mut posted = 0;
    while node.node.hub.waiting().0 < 3 {
        node.say_one(upload.id, &text).await;
        posted += 1;
    }
    let asked = switches.store.calls();
    assert!(asked > before);
    switches.store.set(Mood::Slow);
    socket.ask(UploadRef::Id(other.id), None).await;
    node.until("the store is asked", async || {
        switches.store.calls() > asked
    })
    .await;
    for seq in 1..=posted {
        assert_eq!(socket.posted().await.seq, Seq::new(seq));
    }
}

#[tokio::test]
async fn a_node_stops_while_a_watch_waits_for_store_or_broker() {
    for (store, broker) in [(Mood::Silent, Mood::Well), (Mood::Well, Mood::Silent)] {
        let switches = Switches::default();
        let node = TestNode::with_backends(&[], |backends| switches.wrap(backends)).await;
        let upload = node.uploaded().await;
        switches.store.set(store);
        switches.broker.set(broker);
        let calls = || switches.store.calls() + switches.broker.calls();
        let before = calls();
        let mut socket = SocketClient::connect(&node.base()).await;
        socket.ask(UploadRef::Id(upload.id), None).await;
        node.until("a backend is asked", async || calls() > before)
            .await;
        let stop = async { timeout(Duration::from_secs(4), node.stop()).await };
        let (stopped, code) = tokio::join!(stop, socket.close_code());
        assert_eq!(code, Some(1012));
        stopped.expect("nothing waits for the backend");
    }
}

#[tokio::test]
async fn a_client_is_not_given_up_for_what_the_node_did_not_read() {
    let switches = Switches::default();
    let pace = HubIntervals {
        ping_every: Duration::from_millis(100),
        ..HubIntervals::default()
    };
    let node = TestNode::with_all(&[], pace, |backends| switches.wrap(backends)).await;
    let (upload, other) = (node.uploaded().await, node.uploaded().await);
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    switches.store.set(Mood::Slow);
    socket.ask(UploadRef::Id(other.id), None).await;
    // A client that answers no ping is given up after 300 ms, as the other one shows.
    let mut silent = SocketClient::connect(&node.base()).await;
    silent.send_raw(WsMessage::Ping("here".into())).await;
    node.until("the silent one is given up", async || {
        node.node.sockets.taken() == 1
    })
    .await;
    switches.store.set(Mood::Well);
    let told = socket.event().await;
    assert!(
        matches!(told, ServerEvent::Watched { upload_id, .. } if upload_id == other.id),
        "{told:?}"
    );
}

#[tokio::test]
async fn what_the_hub_does_at_intervals_stops_while_a_backend_is_silent() {
    let switches = Switches::default();
    let pace = HubIntervals {
        announce_every: Duration::from_millis(50),
        ..HubIntervals::default()
    };
    let node = TestNode::with_all(&[], pace, |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload.id), None).await;
    node.say_many(upload.id, 2).await;
    let calls = (switches.store.calls(), switches.broker.calls());
    switches.store.set(Mood::Silent);
    switches.broker.set(Mood::Silent);
    node.node.hub.note_head(upload.id, Seq::new(2));
    node.until("both are asked", async || {
        switches.store.calls() > calls.0 && switches.broker.calls() > calls.1
    })
    .await;
    let stopped = timeout(Duration::from_secs(4), node.stop()).await;
    stopped.expect("beacon and audit hear the shutdown");
}
