//! What viewers hear when frames stop flowing between nodes, and how they learn what they missed.

use std::time::Duration;

use app::event::{CommandName, RefusalCode, ServerEvent};
use app::model::{NewMessage, Seq, UploadId, UploadRef};
use server::config::HubIntervals;
use server::store::Draft;
use server::{clock, ids};

use crate::common::TestNode;
use crate::common::faults::{Mood, Switches};
use crate::common::socket_client::SocketClient;

async fn node_with(switches: &Switches) -> TestNode {
    TestNode::with_backends(&[], |backends| switches.wrap(backends)).await
}

async fn watcher(node: &TestNode, upload: UploadId) -> SocketClient {
    let mut watcher = SocketClient::connect(&node.base()).await;
    watcher.watch(UploadRef::Id(upload), None).await;
    watcher
}

/// The head that a socket is told next.
async fn told_head(socket: &mut SocketClient) -> Seq {
    loop {
        if let ServerEvent::HeadAdvanced { head, .. } = socket.event().await {
            return head;
        }
    }
}

#[tokio::test]
async fn viewers_are_told_when_frames_stop_and_where_the_conversation_is_once_they_flow_again() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await;
    let mut socket = watcher(&node, upload.id).await;

    switches.receiver().interrupted();
    switches.broker.set(Mood::Away);
    let told = socket.refusal().await;
    assert_eq!(told.command, CommandName::Watch);
    assert_eq!(told.upload_id, upload.id.to_string());
    assert_eq!(told.code, RefusalCode::Unavailable);
    for name in [UploadRef::Id(upload.id), UploadRef::Short(upload.short_id)] {
        socket.ask(name, None).await;
        assert_eq!(socket.refusal().await.code, RefusalCode::Unavailable);
    }
    let posted = node.say_many(upload.id, 3).await;

    switches.broker.set(Mood::Well);
    switches.receiver().repaired();
    assert_eq!(told_head(&mut socket).await, Seq::new(3));
    let (head, missed) = socket.watch(UploadRef::Id(upload.id), None).await;
    assert_eq!((head, missed), (Seq::new(3), posted));
    let next = node.say_one(upload.id, "flows again").await;
    assert_eq!(socket.posted().await, next, "the watch was kept");
}

#[tokio::test]
async fn after_a_short_break_the_head_is_told_without_anybody_asking() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await;
    let mut socket = watcher(&node, upload.id).await;
    switches.broker.set(Mood::Lossy);
    node.say_many(upload.id, 2).await;
    switches.broker.set(Mood::Well);
    // The store may be away just then, too.
    switches.store.set(Mood::Away);
    let before = switches.store.calls();
    switches.receiver().repaired();
    node.until("the store was asked", async || {
        switches.store.calls() > before
    })
    .await;
    switches.store.set(Mood::Well);
    assert_eq!(told_head(&mut socket).await, Seq::new(2));
}

#[tokio::test]
async fn watching_what_the_node_watches_already_costs_no_store_read() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await;
    let mut first = watcher(&node, upload.id).await;
    let posted = node.say_many(upload.id, 100).await;
    for message in &posted {
        assert_eq!(first.posted().await, *message);
    }
    let before = switches.store.calls();
    for (after, brought) in [(100, 100..100), (99, 99..100), (36, 36..100), (35, 0..0)] {
        for name in [UploadRef::Id(upload.id), UploadRef::Short(upload.short_id)] {
            let mut socket = SocketClient::connect(&node.base()).await;
            let (head, messages) = socket.watch(name, Some(Seq::new(after))).await;
            assert_eq!(head, Seq::new(100));
            assert_eq!(messages, posted[brought.clone()]);
        }
    }
    assert_eq!(switches.store.calls(), before);
}

#[tokio::test]
async fn what_the_node_missed_is_read_from_the_store() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await;
    let mut socket = watcher(&node, upload.id).await;
    let first = node.say_one(upload.id, "heard").await;
    assert_eq!(socket.posted().await, first);
    switches.broker.set(Mood::Lossy);
    let lost = node.say_one(upload.id, "lost").await;
    switches.broker.set(Mood::Well);
    let third = node.say_one(upload.id, "heard too").await;
    assert_eq!(socket.posted().await, third, "with a jump");
    for _ in 0..2 {
        let (head, messages) = socket
            .watch(UploadRef::Id(upload.id), Some(first.seq))
            .await;
        assert_eq!(head, Seq::new(3));
        assert_eq!(messages, [lost.clone(), third.clone()]);
    }
}

#[tokio::test]
async fn a_message_whose_node_died_before_it_was_published_is_told_by_the_others() {
    let pace = HubIntervals {
        announce_every: Duration::from_millis(50),
        ..HubIntervals::default()
    };
    let node = TestNode::with_intervals(pace).await;
    let upload = node.uploaded().await;
    let mut socket = watcher(&node, upload.id).await;
    store_only(&node, upload.id).await;
    assert_eq!(told_head(&mut socket).await, Seq::new(1));
}

#[tokio::test]
async fn what_one_socket_learns_by_asking_is_told_to_the_others_too() {
    let pace = HubIntervals {
        announce_every: Duration::from_secs(1),
        ..HubIntervals::default()
    };
    let node = TestNode::with_intervals(pace).await;
    let upload = node.uploaded().await;
    let mut socket = watcher(&node, upload.id).await;
    let mut asks = watcher(&node, upload.id).await;
    store_only(&node, upload.id).await;
    // More than the node has heard of, so that it asks the store.
    let (head, _) = asks
        .watch(UploadRef::Id(upload.id), Some(Seq::new(1)))
        .await;
    assert_eq!(head, Seq::new(1));
    assert_eq!(told_head(&mut socket).await, Seq::new(1));
}

/// Stores a message as a node leaves it that is killed just after.
async fn store_only(node: &TestNode, upload: UploadId) {
    let draft = Draft {
        id: ids::message_id(),
        message: NewMessage {
            author_name: "Ada".parse().unwrap(),
            content: "stored only".parse().unwrap(),
            client_message_id: ids::client_message_id(),
        },
        created_at: clock::now(),
    };
    let store = &node.node.store;
    store.append(upload, vec![draft]).await.unwrap();
}
