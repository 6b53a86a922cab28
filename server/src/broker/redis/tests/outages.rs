use std::time::{Duration, Instant};

use app::model::UploadId;
use testbed::Redis;

use super::proxy::Proxy;
use super::test_node::Notice::{Interrupted, Repaired};
use super::test_node::{TestNode, channels, close, connect, eventually, subscribers};
use crate::broker::conformance::some_topic;
use crate::broker::redis::payload::channel_of;
use crate::broker::{Broker, BrokerError};

/// The time limit for detecting a broken subscription.
const DETECTION_TIMEOUT: Duration = Duration::from_secs(10);

async fn is_unavailable(node: &TestNode) -> bool {
    node.broker.ping().await.is_err()
}

async fn check_delivery(from: &TestNode, to: &TestNode, topic: UploadId, text: &str) {
    from.publish(topic, text).await;
    to.wait_for(topic, text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_the_subscriptions_are_restored() {
    let redis = Redis::start().unwrap();
    let (one, other) = (
        TestNode::start(&redis.url()).await,
        TestNode::start(&redis.url()).await,
    );
    let topic = some_topic();
    one.broker.subscribe(topic).await.unwrap();
    redis.kill().unwrap();
    one.wait_for_notices(&[Interrupted]).await;
    assert!(is_unavailable(&one).await);
    redis.restart().unwrap();
    one.wait_for_notices(&[Interrupted, Repaired]).await;
    other.wait_for_notices(&[Interrupted, Repaired]).await;
    one.broker.ping().await.unwrap();
    check_delivery(&other, &one, topic, "again").await;
    assert_eq!(one.received(topic), ["again"], "once");
    assert!(other.received(topic).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_loss_is_reported_by_a_repair_only() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let topic = some_topic();
    node.broker.subscribe(topic).await.unwrap();
    let mut server = connect(&redis.url());
    for round in 1..=3 {
        assert_eq!(close(&mut server, "pubsub"), 1);
        node.wait_for_notices(&vec![Repaired; round]).await;
        check_delivery(&node, &node, topic, &round.to_string()).await;
    }
    assert_eq!(node.received(topic), ["1", "2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_is_detected_and_used_again() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let topic = some_topic();
    node.broker.subscribe(topic).await.unwrap();
    node.wait_for_heartbeats(3).await;
    redis.freeze().unwrap();
    let frozen = Instant::now();
    eventually(async || is_unavailable(&node).await).await;
    node.wait_for_notices(&[Interrupted]).await;
    assert!(
        frozen.elapsed() < DETECTION_TIMEOUT,
        "{:?}",
        frozen.elapsed()
    );
    redis.thaw().unwrap();
    node.wait_for_notices(&[Interrupted, Repaired]).await;
    check_delivery(&node, &node, topic, "awake").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_is_detected_and_replaced() {
    let redis = Redis::start().unwrap();
    let proxy = Proxy::to(redis.port()).await;
    let node = TestNode::start(&proxy.url()).await;
    let topic = some_topic();
    node.broker.subscribe(topic).await.unwrap();
    assert_eq!(
        proxy.connections(),
        2,
        "one to publish and one to subscribe"
    );
    node.wait_for_heartbeats(3).await;
    proxy.pause(1);
    let held = Instant::now();
    node.wait_for_notices(&[Repaired]).await;
    assert!(held.elapsed() < DETECTION_TIMEOUT, "{:?}", held.elapsed());
    assert_eq!(proxy.connections(), 3, "the other one is kept");
    check_delivery(&node, &node, topic, "anew").await;
    // Frames of the old connection are not delivered.
    let mut server = connect(&redis.url());
    assert_eq!(subscribers(&mut server, topic), 2);
    proxy.resume(1);
    check_delivery(&node, &node, topic, "once").await;
    eventually(async || subscribers(&mut server, topic) == 1).await;
    assert_eq!(node.received(topic), ["anew", "once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_during_an_outage_fails_and_is_not_restored() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let (kept, frozen_out, refused) = (some_topic(), some_topic(), some_topic());
    node.broker.subscribe(kept).await.unwrap();
    let check_failure = async |topic| {
        let asked = Instant::now();
        let answer = node.broker.subscribe(topic).await;
        assert!(matches!(answer, Err(BrokerError::Unavailable(_))));
        assert!(asked.elapsed() < Duration::from_millis(2_500));
    };
    redis.freeze().unwrap();
    check_failure(frozen_out).await;
    redis.kill().unwrap();
    node.wait_for_notices(&[Interrupted]).await;
    check_failure(refused).await;
    redis.restart().unwrap();
    node.wait_for_notices(&[Interrupted, Repaired]).await;
    let only = [channel_of(kept)].into();
    assert_eq!(channels(&mut connect(&redis.url())), only);
    node.publish(refused, "not delivered").await;
    node.publish(frozen_out, "not delivered").await;
    check_delivery(&node, &node, kept, "to one").await;
    assert_eq!(node.topics_received(), [kept].into());
    node.broker.subscribe(refused).await.unwrap();
    check_delivery(&node, &node, refused, "later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_unsubscribed_during_an_outage_is_not_restored() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let (kept, ended) = (some_topic(), some_topic());
    node.broker.subscribe(kept).await.unwrap();
    node.broker.subscribe(ended).await.unwrap();
    redis.kill().unwrap();
    node.wait_for_notices(&[Interrupted]).await;
    node.broker.unsubscribe(ended).await.unwrap();
    redis.restart().unwrap();
    node.wait_for_notices(&[Interrupted, Repaired]).await;
    assert_eq!(
        channels(&mut connect(&redis.url())),
        [channel_of(kept)].into()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_topics_are_subscribed_again_after_a_restart() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let topics: Vec<_> = (0..3_000).map(|_| some_topic()).collect();
    let subscribed = topics.iter().map(|topic| node.broker.subscribe(*topic));
    for answer in futures::future::join_all(subscribed).await {
        answer.unwrap();
    }
    redis.kill().unwrap();
    redis.restart().unwrap();
    node.wait_until(|| node.notices().last() == Some(&Repaired))
        .await;
    let wanted = topics.iter().copied().map(channel_of).collect();
    assert_eq!(channels(&mut connect(&redis.url())), wanted);
    for topic in &topics {
        node.publish(*topic, "there").await;
    }
    node.wait_until(|| node.topics_received().len() == topics.len())
        .await;
}
