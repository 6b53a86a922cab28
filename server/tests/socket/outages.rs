//! What sockets receive during and after an interruption, and how missed messages are announced.

use std::time::Duration;

use app::event::{CommandName, RefusalCode, ServerEvent};
use app::model::{NewMessage, Seq, UploadId, UploadRef};
use server::config::HubIntervals;
use server::http::serve::ServeError;
use server::store::Draft;
use server::{clock, ids};

use crate::common::TestNode;
use crate::common::faults::{Mode, Switches};
use crate::common::socket_client::SocketClient;

async fn node_with(switches: &Switches) -> TestNode {
    TestNode::with_backends(&[], |backends| switches.wrap(backends)).await
}

async fn watcher(node: &TestNode, upload: UploadId) -> SocketClient {
    let mut watcher = SocketClient::connect(&node.base()).await;
    watcher.watch(UploadRef::Id(upload), None).await;
    watcher
}

/// Returns the next announced head.
async fn announced_head(socket: &mut SocketClient) -> Seq {
    loop {
        if let ServerEvent::HeadAdvanced { head, .. } = socket.event().await {
            return head;
        }
    }
}

#[tokio::test]
async fn an_interruption_is_announced_and_followed_by_the_head() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await;
    let mut socket = watcher(&node, upload.id).await;

    switches.receiver().interrupted();
    switches.broker.set(Mode::Unavailable);
    let notice = socket.refusal().await;
    assert_eq!(notice.command, CommandName::Watch);
    assert_eq!(notice.upload_id, upload.id.to_string());
    assert_eq!(notice.code, RefusalCode::Unavailable);
    for name in [UploadRef::Id(upload.id), UploadRef::Short(upload.short_id)] {
        socket.send_watch(name, None).await;
        assert_eq!(socket.refusal().await.code, RefusalCode::Unavailable);
    }
    let posted = node.post_numbered(upload.id, 3).await;

    switches.broker.set(Mode::Working);
    switches.receiver().repaired();
    assert_eq!(announced_head(&mut socket).await, Seq::new(3));
    let (head, missed) = socket.watch(UploadRef::Id(upload.id), None).await;
    assert_eq!((head, missed), (Seq::new(3), posted));
    let next = node.post_text(upload.id, "delivered again").await;
    assert_eq!(socket.posted().await, next, "the watch was kept");
}

#[tokio::test]
async fn after_a_short_interruption_the_head_is_announced() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await;
    let mut socket = watcher(&node, upload.id).await;
    switches.broker.set(Mode::Lossy);
    node.post_numbered(upload.id, 2).await;
    switches.broker.set(Mode::Working);
    // The store may be unavailable at the same time.
    switches.store.set(Mode::Unavailable);
    let before = switches.store.calls();
    switches.receiver().repaired();
    node.wait_until("the store was asked", async || {
        switches.store.calls() > before
    })
    .await;
    switches.store.set(Mode::Working);
    assert_eq!(announced_head(&mut socket).await, Seq::new(2));
}

#[tokio::test]
async fn watching_an_upload_that_the_node_watches_costs_no_read_of_the_store() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await;
    let mut first = watcher(&node, upload.id).await;
    let posted = node.post_numbered(upload.id, 100).await;
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
async fn messages_that_the_node_missed_are_read_from_the_store() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await;
    let mut socket = watcher(&node, upload.id).await;
    let first = node.post_text(upload.id, "delivered").await;
    assert_eq!(socket.posted().await, first);
    switches.broker.set(Mode::Lossy);
    let lost = node.post_text(upload.id, "lost").await;
    switches.broker.set(Mode::Working);
    let third = node.post_text(upload.id, "delivered too").await;
    assert_eq!(socket.posted().await, third, "after a gap");
    for _ in 0..2 {
        let (head, messages) = socket
            .watch(UploadRef::Id(upload.id), Some(first.seq))
            .await;
        assert_eq!(head, Seq::new(3));
        assert_eq!(messages, [lost.clone(), third.clone()]);
    }
}

#[tokio::test]
async fn a_message_that_was_stored_but_not_published_is_announced() {
    let pace = HubIntervals {
        announce_every: Duration::from_millis(50),
        ..HubIntervals::default()
    };
    let node = TestNode::with_intervals(pace).await;
    let upload = node.uploaded().await;
    let mut socket = watcher(&node, upload.id).await;
    store_only(&node, upload.id).await;
    assert_eq!(announced_head(&mut socket).await, Seq::new(1));
}

#[tokio::test]
async fn a_head_found_by_one_sockets_watch_is_announced_to_the_others() {
    let pace = HubIntervals {
        announce_every: Duration::from_secs(1),
        ..HubIntervals::default()
    };
    let node = TestNode::with_intervals(pace).await;
    let upload = node.uploaded().await;
    let mut socket = watcher(&node, upload.id).await;
    let mut other = watcher(&node, upload.id).await;
    store_only(&node, upload.id).await;
    // More than the node knows, so that it asks the store.
    let (head, _) = other
        .watch(UploadRef::Id(upload.id), Some(Seq::new(1)))
        .await;
    assert_eq!(head, Seq::new(1));
    assert_eq!(announced_head(&mut socket).await, Seq::new(1));
}

/// Stores a message without publishing it, as a node that is killed in between.
async fn store_only(node: &TestNode, upload: UploadId) {
    let draft = Draft {
        id: ids::message_id(),
        message: NewMessage {
            author_name: "Ada".parse().unwrap(),
            content: "stored only".parse().unwrap(),
            client_message_id: ids::client_message_id(),
            at: None,
            author: None,
        },
        created_at: clock::now(),
        owner: None,
    };
    let store = &node.node.store;
    store.append(upload, vec![draft]).await.unwrap();
}

#[tokio::test]
async fn an_open_socket_learns_of_a_restored_store_and_is_reset() {
    let switches = Switches::default();
    let intervals = HubIntervals {
        announce_every: Duration::from_millis(100),
        ..HubIntervals::default()
    };
    let node = TestNode::with_all(&[], intervals, |backends| switches.wrap(backends)).await;
    let upload = node.uploaded().await.id;
    let posted = node.post_numbered(upload, 5).await;
    let mut socket = watcher(&node, upload).await;
    switches.store.set(Mode::Behind(3));
    // The head of the posts may be announced before.
    let notice = loop {
        if let ServerEvent::Refused(notice) = socket.event().await {
            break notice;
        }
    };
    assert_eq!(notice.code, RefusalCode::Unavailable);
    assert_eq!(announced_head(&mut socket).await, Seq::new(3));
    let (reset, head, messages) = socket.resume(UploadRef::Id(upload), &posted[4]).await;
    assert!(reset);
    assert_eq!((head, &messages[..]), (Seq::new(3), &posted[..3]));
}

#[tokio::test]
async fn a_read_that_lags_behind_resets_nobody() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await.id;
    let posted = node.post_numbered(upload, 5).await;
    switches.store.set(Mode::Behind(3));
    let mut socket = SocketClient::connect(&node.base()).await;
    let calls = switches.store.calls();
    let asked = node.wait_until("the store was asked", async || {
        switches.store.calls() >= calls + 2
    });
    let caught_up = async {
        asked.await;
        switches.store.set(Mode::Working);
    };
    let resumed = socket.resume(UploadRef::Id(upload), &posted[4]);
    let ((reset, head, _), ()) = tokio::join!(resumed, caught_up);
    assert!(!reset);
    assert_eq!(head, Seq::new(5));
}

#[tokio::test]
async fn a_node_stops_when_one_of_its_own_tasks_panics() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await;
    let mut watcher = watcher(&node, upload.id).await;

    switches.store.set(Mode::Panicking);
    // Has the reconciler read the store.
    switches.receiver().repaired();
    assert_eq!(watcher.close_code().await, Some(1012));
    assert!(matches!(
        node.stopped_by_itself().await,
        ServeError::TaskPanicked
    ));
}
