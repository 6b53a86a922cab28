use std::collections::HashSet;
use std::pin::pin;

use futures::poll;
use rand::RngExt;
use testbed::Redis;

use super::test_node::{TestNode, channels, close, connect, eventually, subscribers};
use crate::broker::Broker;
use crate::broker::conformance::some_topic;
use crate::broker::redis::payload::channel_of;

#[tokio::test(flavor = "multi_thread")]
async fn unsubscribing_ends_the_subscription_at_the_server() {
    let url = testbed::shared::redis().url();
    let (one, other) = (TestNode::start(&url).await, TestNode::start(&url).await);
    let (topic, mut server) = (some_topic(), connect(&url));
    one.broker.subscribe(topic).await.unwrap();
    other.broker.subscribe(topic).await.unwrap();
    assert_eq!(subscribers(&mut server, topic), 2);
    one.broker.unsubscribe(topic).await.unwrap();
    assert_eq!(subscribers(&mut server, topic), 1);
    other.broker.unsubscribe(topic).await.unwrap();
    assert_eq!(subscribers(&mut server, topic), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_ends_all_subscriptions() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    node.broker.subscribe(some_topic()).await.unwrap();
    let mut server = connect(&redis.url());
    assert_eq!(channels(&mut server).len(), 1);
    node.broker.close().await;
    eventually(async || channels(&mut server).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_subscription_is_ended() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let topic = some_topic();
    let mut server = connect(&redis.url());
    for _ in 0..100 {
        let is_answered = poll!(pin!(node.broker.subscribe(topic))).is_ready();
        if is_answered {
            node.broker.unsubscribe(topic).await.unwrap();
        }
    }
    eventually(async || subscribers(&mut server, topic) == 0).await;
    node.publish(topic, "not delivered").await;
    assert!(node.received(topic).is_empty());
}

/// Subscriptions change while the connection is closed again and again, and while all are subscribed again.
#[tokio::test(flavor = "multi_thread")]
async fn changes_during_repairs_are_applied() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let mut server = connect(&redis.url());
    let topics: Vec<_> = (0..1_500).map(|_| some_topic()).collect();
    let mut wanted = HashSet::new();
    for round in 0..60 {
        if round % 2 == 0 {
            close(&mut server, "pubsub");
        }
        // Every other time the changes come while there is no connection, else while it subscribes all of them again.
        if round % 4 == 0 {
            // A subscription to a known topic would succeed before the node notices that the connection is closed.
            let new = some_topic();
            eventually(async || node.broker.subscribe(new).await.is_ok()).await;
            wanted.insert(new);
        }
        let changes = (0..300).map(|_| topics[rand::rng().random_range(0..topics.len())]);
        let changes: HashSet<_> = changes.collect();
        let ask = changes.into_iter().map(async |topic| {
            if wanted.contains(&topic) {
                // The subscription is ended whatever the result.
                let _ = node.broker.unsubscribe(topic).await;
                (topic, false)
            } else {
                (topic, node.broker.subscribe(topic).await.is_ok())
            }
        });
        for (topic, is_wanted) in futures::future::join_all(ask).await {
            if is_wanted {
                wanted.insert(topic);
            } else {
                wanted.remove(&topic);
            }
        }
    }
    assert!(wanted.len() > 300, "{} are wanted", wanted.len());
    let wanted: HashSet<_> = wanted.into_iter().map(channel_of).collect();
    eventually(async || channels(&mut server) == wanted).await;
}
