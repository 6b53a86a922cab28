//! Frames that were not published by a node.

use app::event::ServerEvent;
use app::model::{Message, Seq, UploadId, UploadRef};
use server::broker::{DeliveryClass, Frame};
use server::http::metrics_endpoint::encode_metrics;
use server::ids;

use crate::common::TestNode;
use crate::common::faults::{Mode, Switches};
use crate::common::socket_client::SocketClient;

const REFUSED_METRIC: &str = "tonesa_broker_frames_refused_total ";

async fn node_with(switches: &Switches) -> TestNode {
    TestNode::with_backends(&[], |backends| switches.wrap(backends)).await
}

/// A node, an upload, and a socket that watches it.
async fn watched(switches: &Switches) -> (TestNode, UploadId, SocketClient) {
    let node = node_with(switches).await;
    let upload = node.uploaded().await.id;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload), None).await;
    (node, upload, socket)
}

fn publish(switches: &Switches, topic: UploadId, class: DeliveryClass, text: &str) {
    let text = text.into();
    switches.receiver().deliver(topic, Frame { class, text });
}

fn head(topic: UploadId, head: u64) -> String {
    let (upload_id, head) = (topic, Seq::new(head));
    serde_json::to_string(&ServerEvent::HeadAdvanced { upload_id, head }).unwrap()
}

fn rejected(node: &TestNode) -> u64 {
    let metrics = encode_metrics(&node.node.registry);
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix(REFUSED_METRIC));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn rejected_frames_reach_no_socket() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let (upload, other) = (node.uploaded().await.id, ids::upload_id());
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload), None).await;
    let touched = format!(r#"{{"type":"touched","data":{{"uploadID":"{upload}","points":[]}}}}"#);
    let wrong = [
        (DeliveryClass::Message, "<script>alert(1)</script>"),
        (DeliveryClass::Message, ""),
        (DeliveryClass::Message, &head(other, 1)),
        (DeliveryClass::Message, &touched),
        (DeliveryClass::Touch, &head(upload, 1)),
    ];
    for (class, text) in wrong {
        publish(&switches, upload, class, text);
    }
    let posted = node.post_text(upload, "from a node").await;
    let event: ServerEvent = serde_json::from_str(&socket.text().await).unwrap();
    assert!(matches!(event, ServerEvent::MessagePosted { message, .. } if message == posted));
    assert_eq!(rejected(&node), wrong.len() as u64);
}

#[tokio::test]
async fn a_head_that_the_store_does_not_have_is_not_announced() {
    let switches = Switches::default();
    let (node, upload, mut socket) = watched(&switches).await;
    let mut posted = node.post_numbered(upload, 2).await;
    for message in &posted {
        assert_eq!(socket.posted().await, *message);
    }
    let far = Message {
        seq: Seq::new(1 << 50),
        ..posted[0].clone()
    };
    let far = ServerEvent::MessagePosted {
        upload_id: upload,
        message: far,
    };
    for text in [serde_json::to_string(&far).unwrap(), head(upload, u64::MAX)] {
        let before = rejected(&node);
        publish(&switches, upload, DeliveryClass::Message, &text);
        node.wait_until("the store was asked", async || rejected(&node) > before)
            .await;
    }
    posted.push(node.post_text(upload, "from a node").await);
    let event: ServerEvent = serde_json::from_str(&socket.text().await).unwrap();
    assert!(matches!(event, ServerEvent::MessagePosted { message, .. } if message == posted[2]));

    // The node still answers from memory.
    let reads = switches.store.calls();
    let mut late = SocketClient::connect(&node.base()).await;
    let known = late.watch(UploadRef::Id(upload), None).await;
    assert_eq!(known, (Seq::new(3), posted));
    assert_eq!(switches.store.calls(), reads);
}

#[tokio::test]
async fn a_stored_head_is_announced_even_if_the_store_is_unavailable_at_first() {
    let switches = Switches::default();
    let (node, upload, mut socket) = watched(&switches).await;
    switches.broker.set(Mode::Lossy);
    node.post_numbered(upload, 2).await;
    switches.store.set(Mode::Unavailable);
    let calls = switches.store.calls();
    publish(&switches, upload, DeliveryClass::Message, &head(upload, 2));
    node.wait_until("the store was asked", async || {
        switches.store.calls() > calls
    })
    .await;
    switches.store.set(Mode::Working);
    assert_eq!(socket.text().await, head(upload, 2));
}

fn posted_as(message: &Message, seq: u64, content: &str) -> String {
    let message = Message {
        seq: Seq::new(seq),
        content: content.parse().unwrap(),
        ..message.clone()
    };
    let upload_id = message.upload_id;
    serde_json::to_string(&ServerEvent::MessagePosted { upload_id, message }).unwrap()
}

#[tokio::test]
async fn a_forged_message_is_discarded_and_replaces_no_stored_one() {
    let switches = Switches::default();
    let (node, upload, mut socket) = watched(&switches).await;
    let first = node.post_text(upload, "from a node").await;
    assert_eq!(socket.posted().await, first);

    for seq in [1, 2] {
        let forged = posted_as(&first, seq, "forged");
        publish(&switches, upload, DeliveryClass::Message, &forged);
    }
    // An answer is cached.
    let mut early = SocketClient::connect(&node.base()).await;
    let (_, known) = early.watch(UploadRef::Id(upload), None).await;
    assert_eq!(known[0], first);
    let before = rejected(&node);
    switches.receiver().repaired();
    node.wait_until("the store was asked", async || rejected(&node) > before)
        .await;

    let second = node.post_text(upload, "from a node too").await;
    let mut late = SocketClient::connect(&node.base()).await;
    let known = late.watch(UploadRef::Id(upload), None).await;
    assert_eq!(known, (Seq::new(2), vec![first, second]));
}

#[tokio::test]
async fn who_has_got_a_forged_message_gets_the_stored_one_too() {
    let switches = Switches::default();
    let (node, upload, mut socket) = watched(&switches).await;
    let first = node.post_text(upload, "from a node").await;
    assert_eq!(socket.posted().await, first);

    let id = ids::message_id();
    let forged = posted_as(
        &Message {
            id,
            ..first.clone()
        },
        2,
        "forged",
    );
    publish(&switches, upload, DeliveryClass::Message, &forged);
    assert_eq!(socket.posted().await.id, id);
    let second = node.post_text(upload, "the second").await;
    let third = node.post_text(upload, "the third").await;
    let mut missing = vec![second.id, third.id];
    while !missing.is_empty() {
        let event: ServerEvent = serde_json::from_str(&socket.text().await).unwrap();
        if let ServerEvent::MessagePosted { message, .. } = event {
            missing.retain(|id| *id != message.id);
        }
    }
    assert_eq!(rejected(&node), 1);
    let mut late = SocketClient::connect(&node.base()).await;
    let known = late.watch(UploadRef::Id(upload), None).await;
    assert_eq!(known, (Seq::new(3), vec![first, second, third]));
}
