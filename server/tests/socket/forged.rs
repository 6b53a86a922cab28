//! Somebody else publishes at the broker.

use app::event::ServerEvent;
use app::model::{Message, Seq, UploadRef};
use server::broker::{DeliveryClass, Frame, Topic};
use server::http::metrics_endpoint::encode_metrics;
use server::ids;

use crate::common::TestNode;
use crate::common::faults::{Mood, Switches};
use crate::common::socket_client::SocketClient;

const NAME: &str = "tonesa_broker_frames_refused_total ";

async fn node_with(switches: &Switches) -> TestNode {
    TestNode::with_backends(&[], |backends| switches.wrap(backends)).await
}

fn publish(switches: &Switches, topic: Topic, class: DeliveryClass, text: &str) {
    let text = text.into();
    switches.receiver().deliver(topic, Frame { class, text });
}

fn head(topic: Topic, head: u64) -> String {
    let (upload_id, head) = (topic, Seq::new(head));
    serde_json::to_string(&ServerEvent::HeadAdvanced { upload_id, head }).unwrap()
}

fn refused(node: &TestNode) -> u64 {
    let figures = encode_metrics(&node.node.registry);
    let line = figures.lines().find_map(|line| line.strip_prefix(NAME));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_no_node_publishes_reaches_nobody() {
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
    let posted = node.say_one(upload, "from a node").await;
    let told: ServerEvent = serde_json::from_str(&socket.text().await).unwrap();
    assert!(matches!(told, ServerEvent::MessagePosted { message, .. } if message == posted));
    assert_eq!(refused(&node), wrong.len() as u64);
}

#[tokio::test]
async fn a_head_that_the_store_does_not_have_is_not_believed() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await.id;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload), None).await;
    let mut posted = node.say_many(upload, 2).await;
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
        let before = refused(&node);
        publish(&switches, upload, DeliveryClass::Message, &text);
        node.until("the store was asked", async || refused(&node) > before)
            .await;
    }
    posted.push(node.say_one(upload, "from a node").await);
    let told: ServerEvent = serde_json::from_str(&socket.text().await).unwrap();
    assert!(matches!(told, ServerEvent::MessagePosted { message, .. } if message == posted[2]));

    // What the node knows is as good as before.
    let reads = switches.store.calls();
    let mut late = SocketClient::connect(&node.base()).await;
    let known = late.watch(UploadRef::Id(upload), None).await;
    assert_eq!(known, (Seq::new(3), posted));
    assert_eq!(switches.store.calls(), reads);
}

#[tokio::test]
async fn a_head_that_the_store_has_is_told_even_if_the_store_is_away_at_first() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await.id;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload), None).await;
    switches.broker.set(Mood::Lossy);
    node.say_many(upload, 2).await;
    switches.store.set(Mood::Away);
    let calls = switches.store.calls();
    publish(&switches, upload, DeliveryClass::Message, &head(upload, 2));
    node.until("the store was asked", async || {
        switches.store.calls() > calls
    })
    .await;
    switches.store.set(Mood::Well);
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
async fn a_message_that_the_store_does_not_have_is_forgotten_and_replaces_none_that_it_has() {
    let switches = Switches::default();
    let node = node_with(&switches).await;
    let upload = node.uploaded().await.id;
    let mut socket = SocketClient::connect(&node.base()).await;
    socket.watch(UploadRef::Id(upload), None).await;
    let first = node.say_one(upload, "from a node").await;
    assert_eq!(socket.posted().await, first);

    for seq in [1, 2] {
        let forged = posted_as(&first, seq, "forged");
        publish(&switches, upload, DeliveryClass::Message, &forged);
    }
    // An answer is made of what is known by now.
    let mut early = SocketClient::connect(&node.base()).await;
    let (_, known) = early.watch(UploadRef::Id(upload), None).await;
    assert_eq!(known[0], first);
    let before = refused(&node);
    switches.receiver().repaired();
    node.until("the store was asked", async || refused(&node) > before)
        .await;

    let second = node.say_one(upload, "from a node too").await;
    let mut late = SocketClient::connect(&node.base()).await;
    let known = late.watch(UploadRef::Id(upload), None).await;
    assert_eq!(known, (Seq::new(2), vec![first, second]));
}
