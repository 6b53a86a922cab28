use std::task::Poll;
use std::time::Duration;

use futures::poll;
use redis::cmd;
use testbed::Redis;

use super::proxy::Proxy;
use super::test_node::{TestNode, close, connect, eventually};
use crate::broker::conformance::{some_frame, some_topic};
use crate::broker::redis::payload::channel_of;
use crate::broker::{Broker, BrokerError};

#[tokio::test(flavor = "multi_thread")]
async fn other_payloads_are_dropped_and_reported() {
    let url = testbed::shared::redis().url();
    let node = TestNode::start(&url).await;
    let (topic, mut server) = (some_topic(), connect(&url));
    node.broker.subscribe(topic).await.unwrap();
    for wrong in [&b""[..], b"x", b"{}", b"m\xff\xff", b"t\xc3\x28"] {
        let mut publish = cmd("PUBLISH");
        publish.arg(channel_of(topic)).arg(wrong);
        assert_eq!(publish.query(&mut server), Ok(1));
    }
    node.publish(topic, "right").await;
    node.wait_for(topic, "right").await;
    assert_eq!(node.received(topic), ["right"]);
    assert_eq!(node.refused(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_publishing_connection_is_replaced() {
    let redis = Redis::start().unwrap();
    let proxy = Proxy::to(redis.port()).await;
    let node = TestNode::start(&proxy.url()).await;
    let topic = some_topic();
    node.broker.subscribe(topic).await.unwrap();
    proxy.pause(0);
    let published = node.broker.publish(topic, some_frame("held")).await;
    assert!(matches!(published, Err(BrokerError::Unavailable(_))));
    eventually(async || node.broker.publish(topic, some_frame("sent")).await.is_ok()).await;
    node.wait_for(topic, "sent").await;
    assert_eq!(proxy.connections(), 3, "the subscribing connection is kept");
    assert_eq!(node.notices(), []);
}

/// The server receives the bytes of the first connection after the second one has been used.
#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_a_replaced_connection_is_not_published_late() {
    let redis = Redis::start().unwrap();
    let proxy = Proxy::to(redis.port()).await;
    let (node, other) = (
        TestNode::start(&proxy.url()).await,
        TestNode::start(&redis.url()).await,
    );
    let topic = some_topic();
    other.broker.subscribe(topic).await.unwrap();
    proxy.pause(0);
    let published = node.broker.publish(topic, some_frame("1")).await;
    assert!(matches!(published, Err(BrokerError::Unavailable(_))));
    eventually(async || node.broker.publish(topic, some_frame("2")).await.is_ok()).await;
    other.wait_for(topic, "2").await;
    proxy.resume(0);
    // The held bytes reach the server, if at all, within this time.
    tokio::time::sleep(Duration::from_millis(200)).await;
    node.publish(topic, "3").await;
    other.wait_for(topic, "3").await;
    assert_eq!(other.received(topic), ["2", "3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_keep_their_order_and_arrive_once_over_many_reconnections() {
    let redis = Redis::start().unwrap();
    let (node, other) = (
        TestNode::start(&redis.url()).await,
        TestNode::start(&redis.url()).await,
    );
    let mut server = connect(&redis.url());
    let topic = some_topic();
    other.broker.subscribe(topic).await.unwrap();
    let mut last = 0;
    for number in 1..=2_000 {
        if number % 200 == 0 {
            close(&mut server, "normal");
        }
        if node
            .broker
            .publish(topic, some_frame(&number.to_string()))
            .await
            .is_ok()
        {
            last = number;
        } else {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    other.wait_for(topic, &last.to_string()).await;
    let received: Vec<u32> = other
        .received(topic)
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    assert!(received.is_sorted_by(|a, b| a < b), "in order, and once");
    assert!(received.len() > 500, "{} arrived", received.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_frames_in_flight_is_limited() {
    let redis = Redis::start().unwrap();
    let node = TestNode::start(&redis.url()).await;
    let topic = some_topic();
    redis.freeze().unwrap();
    let mut waiting = Vec::new();
    let refused = loop {
        let mut publishing = node.broker.publish(topic, some_frame("waits"));
        match poll!(&mut publishing) {
            Poll::Pending => waiting.push(publishing),
            Poll::Ready(answer) => break answer,
        }
    };
    assert!(matches!(refused, Err(BrokerError::Unavailable(_))));
    assert_eq!(waiting.len(), 4_096);
    drop(waiting);
    redis.thaw().unwrap();
    eventually(async || node.broker.publish(topic, some_frame("")).await.is_ok()).await;
}
