use std::time::{Duration, Instant};

use testbed::Redis;

use super::kit::Told::{Interrupted, Repaired};
use super::kit::{TestNode, channels, close, eventually, look, subscribers};
use super::proxy::Proxy;
use crate::broker::conformance::some_topic;
use crate::broker::redis::payload::channel_of;
use crate::broker::{Broker, BrokerError, Topic};

/// Within what time a dead subscription is told.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);

async fn is_away(node: &TestNode) -> bool {
    node.broker.ping().await == Err(BrokerError::Unavailable)
}

async fn flows(from: &TestNode, to: &TestNode, topic: Topic, text: &str) {
    from.publish(topic, text).await;
    to.wait_for(topic, text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_frames_flow_without_anybody_subscribing_again() {
    let redis = Redis::start().unwrap();
    let (one, other) = (
        TestNode::start(&redis.url()).await,
        TestNode::start(&redis.url()).await,
    );
    let topic = some_topic();
    one.broker.subscribe(topic).await.unwrap();
    redis.kill().unwrap();
    one.wait_for_told(&[Interrupted]).await;
    assert!(is_away(&one).await);
    redis.restart().unwrap();
    one.wait_for_told(&[Interrupted, Repaired]).await;
    other.wait_for_told(&[Interrupted, Repaired]).await;
    assert_eq!(one.broker.ping().await, Ok(()));
    flows(&other, &one, topic, "again").await;
    assert_eq!(one.heard(topic), ["again"], "once");
    assert!(other.heard(topic).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_loss_is_told_as_a_repair_alone() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let topic = some_topic();
    node.broker.subscribe(topic).await.unwrap();
    let mut server = look(&redis.url());
    for round in 1..=3 {
        assert_eq!(close(&mut server, "pubsub"), 1);
        node.wait_for_told(&vec![Repaired; round]).await;
        flows(&node, &node, topic, &round.to_string()).await;
    }
    assert_eq!(node.heard(topic), ["1", "2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_freezes_is_noticed_and_awaited() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let topic = some_topic();
    node.broker.subscribe(topic).await.unwrap();
    node.wait_for_canaries(3).await;
    redis.freeze().unwrap();
    let frozen = Instant::now();
    eventually(async || is_away(&node).await).await;
    node.wait_for_told(&[Interrupted]).await;
    assert!(frozen.elapsed() < NOTICED_WITHIN, "{:?}", frozen.elapsed());
    redis.thaw().unwrap();
    node.wait_for_told(&[Interrupted, Repaired]).await;
    flows(&node, &node, topic, "awake").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_is_noticed_and_replaced() {
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
    // All is well, and was for a while.
    node.wait_for_canaries(3).await;
    proxy.hold(1);
    let held = Instant::now();
    node.wait_for_told(&[Repaired]).await;
    assert!(held.elapsed() < NOTICED_WITHIN, "{:?}", held.elapsed());
    assert_eq!(proxy.connections(), 3, "the other one was well");
    flows(&node, &node, topic, "anew").await;
    // What the old connection still brings is not for anybody.
    let mut server = look(&redis.url());
    assert_eq!(subscribers(&mut server, topic), 2);
    proxy.release(1);
    flows(&node, &node, topic, "once").await;
    eventually(async || subscribers(&mut server, topic) == 1).await;
    assert_eq!(node.heard(topic), ["anew", "once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_during_an_outage_is_refused_and_leaves_nothing() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let (kept, frozen_out, refused) = (some_topic(), some_topic(), some_topic());
    node.broker.subscribe(kept).await.unwrap();
    let is_refused = async |topic| {
        let asked = Instant::now();
        let answer = node.broker.subscribe(topic).await;
        assert_eq!(answer, Err(BrokerError::Unavailable));
        assert!(asked.elapsed() < Duration::from_millis(2_500));
    };
    redis.freeze().unwrap();
    is_refused(frozen_out).await;
    redis.kill().unwrap();
    node.wait_for_told(&[Interrupted]).await;
    is_refused(refused).await;
    redis.restart().unwrap();
    node.wait_for_told(&[Interrupted, Repaired]).await;
    let only = [channel_of(kept)].into();
    assert_eq!(channels(&mut look(&redis.url())), only);
    node.publish(refused, "to nobody").await;
    node.publish(frozen_out, "to nobody").await;
    flows(&node, &node, kept, "to one").await;
    assert_eq!(node.heard_on(), [kept].into());
    node.broker.subscribe(refused).await.unwrap();
    flows(&node, &node, refused, "later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_given_up_during_an_outage_stays_given_up() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let (kept, given_up) = (some_topic(), some_topic());
    node.broker.subscribe(kept).await.unwrap();
    node.broker.subscribe(given_up).await.unwrap();
    redis.kill().unwrap();
    node.wait_for_told(&[Interrupted]).await;
    assert_eq!(node.broker.unsubscribe(given_up).await, Ok(()));
    redis.restart().unwrap();
    node.wait_for_told(&[Interrupted, Repaired]).await;
    assert_eq!(channels(&mut look(&redis.url())), [channel_of(kept)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_topics_are_subscribed_again_after_a_restart() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let topics: Vec<_> = (0..3_000).map(|_| some_topic()).collect();
    let subscribed = topics.iter().map(|topic| node.broker.subscribe(*topic));
    for answer in futures::future::join_all(subscribed).await {
        assert_eq!(answer, Ok(()));
    }
    redis.kill().unwrap();
    redis.restart().unwrap();
    node.wait_until(|| node.told().last() == Some(&Repaired))
        .await;
    let wanted = topics.iter().copied().map(channel_of).collect();
    assert_eq!(channels(&mut look(&redis.url())), wanted);
    for topic in &topics {
        node.publish(*topic, "there").await;
    }
    node.wait_until(|| node.heard_on().len() == topics.len())
        .await;
}
