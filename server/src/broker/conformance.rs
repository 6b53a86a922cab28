//! The guarantees of every [`Broker`], as tests. A backend's tests call [`broker_suite`] with an expression that opens
//! two nodes; each test uses topics of its own.
//!
//! That a frame does not arrive is shown by a later one that does, so that no test waits for a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use app::model::UploadId;
use futures::future::try_join_all;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Broker, Deliver, DeliveryClass, Frame};

/// Defines a test of each guarantee. `$open` is a future of `([Arc<dyn Broker>; 2], guard)`: two nodes without
/// receivers, and a guard that is dropped at the end.
macro_rules! broker_suite {
    ($open:expr) => {
        $crate::broker::conformance::broker_suite! {
            $open;
            every_subscribed_node_gets_a_frame_unchanged,
            a_topic_without_subscribers_delivers_nothing,
            a_node_without_a_subscription_gets_nothing,
            nothing_arrives_after_unsubscribing,
            unsubscribing_does_not_affect_other_nodes_and_topics,
            a_repeated_subscription_delivers_once_and_ends_with_one_unsubscribe,
            a_topic_can_be_subscribed_again,
            one_nodes_frames_keep_their_order,
            every_frame_after_subscribing_arrives,
            the_broker_answers_a_ping
        }
    };
    ($open:expr; $($test:ident),+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $test() {
            let (nodes, _guard) = $open.await;
            $crate::broker::conformance::$test(nodes).await;
        }
    )+};
}
pub(crate) use broker_suite;

type Nodes = [Arc<dyn Broker>; 2];

/// The time limit for the delivery of a frame, generous for a busy machine.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// All frames that were delivered to a node, in order.
#[derive(Default)]
pub(crate) struct Inbox {
    frames: Mutex<Vec<(UploadId, Frame)>>,
    more: Notify,
}

impl Deliver for Inbox {
    fn deliver(&self, topic: UploadId, frame: Frame) {
        // Lets other threads run while a frame is being delivered.
        thread::yield_now();
        self.frames.lock().unwrap().push((topic, frame));
        self.more.notify_one();
    }

    fn interrupted(&self) {
        panic!("the subscription is interrupted");
    }

    fn repaired(&self) {}
}

impl Inbox {
    pub fn attached(broker: &dyn Broker) -> Arc<Self> {
        let inbox = Arc::new(Self::default());
        broker.attach(inbox.clone());
        inbox
    }

    pub fn of(&self, topic: UploadId) -> Vec<Frame> {
        let frames = self.frames.lock().unwrap();
        let of_topic = frames.iter().filter(|(of, _)| *of == topic);
        of_topic.map(|(_, frame)| frame.clone()).collect()
    }

    fn texts(&self, topic: UploadId) -> Vec<String> {
        self.of(topic)
            .iter()
            .map(|frame| frame.text.to_string())
            .collect()
    }

    /// Waits until this frame has arrived.
    async fn wait_for(&self, topic: UploadId, frame: &Frame) {
        let arrived = async {
            while !self.of(topic).contains(frame) {
                self.more.notified().await;
            }
        };
        timeout(DELIVERY_TIMEOUT, arrived)
            .await
            .expect("the frame has to arrive");
    }
}

pub(crate) fn some_topic() -> UploadId {
    UploadId::from_bytes(rand::random())
}

pub(crate) fn some_frame(text: &str) -> Frame {
    Frame {
        class: DeliveryClass::Message,
        text: text.into(),
    }
}

async fn publish(node: &Arc<dyn Broker>, topic: UploadId, text: &str) {
    node.publish(topic, some_frame(text)).await.unwrap();
}

/// A backend may carry topics over several connections, such as those to the masters of a cluster. Of this many topics
/// some go over each of three connections.
const TOPICS_FOR_ALL_ROUTES: usize = 48;

/// Publishes from each node on topics that both are subscribed to, and waits for it, so that all earlier frames have
/// arrived.
async fn flush(nodes: &Nodes, inboxes: &[Arc<Inbox>; 2]) {
    let topics: Vec<_> = (0..TOPICS_FOR_ALL_ROUTES).map(|_| some_topic()).collect();
    for publisher in nodes {
        try_join_all(topics.iter().map(async |topic| {
            for node in nodes {
                node.subscribe(*topic).await?;
            }
            publisher.publish(*topic, some_frame("flushed")).await
        }))
        .await
        .unwrap();
        for (inbox, topic) in inboxes
            .iter()
            .flat_map(|it| topics.iter().map(move |topic| (it, topic)))
        {
            inbox.wait_for(*topic, &some_frame("flushed")).await;
        }
    }
}

fn attach(nodes: &Nodes) -> [Arc<Inbox>; 2] {
    [Inbox::attached(&*nodes[0]), Inbox::attached(&*nodes[1])]
}

pub(crate) async fn every_subscribed_node_gets_a_frame_unchanged(nodes: Nodes) {
    let inboxes = attach(&nodes);
    let topic = some_topic();
    for node in &nodes {
        node.subscribe(topic).await.unwrap();
    }
    let mut published = Vec::new();
    for (n, text) in [
        "",
        "{\"type\":\"é 👍🏽 \u{2028} \\u0000\"}",
        &"x".repeat(20_000),
    ]
    .into_iter()
    .enumerate()
    {
        for class in [
            DeliveryClass::Message,
            DeliveryClass::Touch,
            DeliveryClass::Presence,
        ] {
            let text = text.into();
            let frame = Frame { class, text };
            nodes[n % 2].publish(topic, frame.clone()).await.unwrap();
            for inbox in &inboxes {
                inbox.wait_for(topic, &frame).await;
            }
            published.push(frame);
        }
    }
    flush(&nodes, &inboxes).await;
    for inbox in &inboxes {
        assert_eq!(inbox.of(topic), published, "each of them once");
    }
}

pub(crate) async fn a_topic_without_subscribers_delivers_nothing(nodes: Nodes) {
    let inboxes = attach(&nodes);
    let (watched, unwatched) = (some_topic(), some_topic());
    nodes[0].subscribe(watched).await.unwrap();
    for node in &nodes {
        publish(node, unwatched, "to nobody").await;
    }
    flush(&nodes, &inboxes).await;
    for inbox in &inboxes {
        assert!(inbox.of(unwatched).is_empty());
        assert!(inbox.of(watched).is_empty());
    }
}

pub(crate) async fn a_node_without_a_subscription_gets_nothing(nodes: Nodes) {
    let inboxes = attach(&nodes);
    let topic = some_topic();
    nodes[0].subscribe(topic).await.unwrap();
    for node in &nodes {
        publish(node, topic, "to the first").await;
    }
    flush(&nodes, &inboxes).await;
    assert_eq!(inboxes[0].texts(topic), ["to the first", "to the first"]);
    assert!(inboxes[1].of(topic).is_empty());
}

pub(crate) async fn nothing_arrives_after_unsubscribing(nodes: Nodes) {
    let inboxes = attach(&nodes);
    for _ in 0..50 {
        let topic = some_topic();
        nodes[0].subscribe(topic).await.unwrap();
        let (publisher, done) = (nodes[1].clone(), Arc::new(AtomicBool::new(false)));
        let done_too = done.clone();
        let publishing = tokio::spawn(async move {
            while !done_too.load(Ordering::Relaxed) {
                publish(&publisher, topic, "early").await;
                tokio::task::yield_now().await;
            }
        });
        inboxes[0].wait_for(topic, &some_frame("early")).await;
        nodes[0].unsubscribe(topic).await.unwrap();
        let arrived = inboxes[0].of(topic).len();
        done.store(true, Ordering::Relaxed);
        publishing.await.unwrap();
        publish(&nodes[0], topic, "late").await;
        flush(&nodes, &inboxes).await;
        assert_eq!(inboxes[0].of(topic).len(), arrived);
        assert!(inboxes[1].of(topic).is_empty());
    }
}

pub(crate) async fn unsubscribing_does_not_affect_other_nodes_and_topics(nodes: Nodes) {
    let inboxes = attach(&nodes);
    let (left, kept) = (some_topic(), some_topic());
    for node in &nodes {
        node.subscribe(left).await.unwrap();
        node.subscribe(kept).await.unwrap();
    }
    nodes[0].unsubscribe(left).await.unwrap();
    publish(&nodes[0], left, "a").await;
    publish(&nodes[0], kept, "b").await;
    flush(&nodes, &inboxes).await;
    assert!(inboxes[0].of(left).is_empty());
    assert_eq!(inboxes[1].texts(left), ["a"]);
    assert_eq!(inboxes[0].texts(kept), ["b"]);
    assert_eq!(inboxes[1].texts(kept), ["b"]);
}

pub(crate) async fn a_repeated_subscription_delivers_once_and_ends_with_one_unsubscribe(
    nodes: Nodes,
) {
    let inboxes = attach(&nodes);
    let topic = some_topic();
    for _ in 0..3 {
        nodes[0].subscribe(topic).await.unwrap();
    }
    publish(&nodes[0], topic, "once").await;
    publish(&nodes[1], topic, "too").await;
    inboxes[0].wait_for(topic, &some_frame("too")).await;
    flush(&nodes, &inboxes).await;
    assert_eq!(inboxes[0].of(topic).len(), 2);
    nodes[0].unsubscribe(topic).await.unwrap();
    publish(&nodes[1], topic, "late").await;
    flush(&nodes, &inboxes).await;
    assert_eq!(inboxes[0].of(topic).len(), 2);
    // Unsubscribing twice, or without a subscription, is not an error.
    nodes[0].unsubscribe(topic).await.unwrap();
    nodes[1].unsubscribe(topic).await.unwrap();
}

pub(crate) async fn a_topic_can_be_subscribed_again(nodes: Nodes) {
    let inboxes = attach(&nodes);
    let topic = some_topic();
    let mut expected = Vec::new();
    for round in 0..10 {
        nodes[0].subscribe(topic).await.unwrap();
        let text = format!("text {round}");
        publish(&nodes[1], topic, &text).await;
        inboxes[0].wait_for(topic, &some_frame(&text)).await;
        nodes[0].unsubscribe(topic).await.unwrap();
        publish(&nodes[1], topic, "not delivered").await;
        expected.push(text);
    }
    flush(&nodes, &inboxes).await;
    assert_eq!(inboxes[0].texts(topic), expected);
}

pub(crate) async fn one_nodes_frames_keep_their_order(nodes: Nodes) {
    let inboxes = attach(&nodes);
    let topics = [some_topic(), some_topic(), some_topic()];
    let mut publishers = JoinSet::new();
    for (number, node) in nodes.iter().enumerate() {
        for topic in topics {
            nodes[0].subscribe(topic).await.unwrap();
            nodes[1].subscribe(topic).await.unwrap();
            let node = node.clone();
            publishers.spawn(async move {
                for n in 0..300 {
                    publish(&node, topic, &format!("{number} {n}")).await;
                }
            });
        }
    }
    publishers.join_all().await;
    flush(&nodes, &inboxes).await;
    for (inbox, topic) in inboxes
        .iter()
        .flat_map(|it| topics.map(|topic| (it, topic)))
    {
        for number in ["0 ", "1 "] {
            let mut of_node = inbox.texts(topic);
            of_node.retain(|text| text.starts_with(number));
            let expected: Vec<_> = (0..300).map(|n| format!("{number}{n}")).collect();
            assert_eq!(of_node, expected);
        }
    }
}

pub(crate) async fn every_frame_after_subscribing_arrives(nodes: Nodes) {
    let inboxes = attach(&nodes);
    let topic = some_topic();
    // The other node subscribes and unsubscribes meanwhile.
    let other = nodes[1].clone();
    let churn = tokio::spawn(async move {
        loop {
            other.subscribe(topic).await.unwrap();
            other.unsubscribe(topic).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    let mut expected = Vec::new();
    for round in 0..100 {
        nodes[0].subscribe(topic).await.unwrap();
        let text = format!("round {round}");
        publish(&nodes[round % 2], topic, &text).await;
        inboxes[0].wait_for(topic, &some_frame(&text)).await;
        nodes[0].unsubscribe(topic).await.unwrap();
        expected.push(text);
    }
    churn.abort();
    assert_eq!(inboxes[0].texts(topic), expected);
}

pub(crate) async fn the_broker_answers_a_ping(nodes: Nodes) {
    let _inboxes = attach(&nodes);
    for node in &nodes {
        node.ping().await.unwrap();
    }
}
