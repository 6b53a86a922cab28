use testbed::{Redis, Sentinel};

use super::test_node::Notice::{Interrupted, Repaired};
use super::test_node::{TestNode, connect, eventually, subscribers};
use crate::broker::Broker;
use crate::broker::conformance::some_topic;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_follows_the_sentinels_to_another_master() {
    let master = Redis::start().unwrap();
    let port = master.port().to_string();
    let replica = Redis::with_args(&["--replicaof", "127.0.0.1", &port]).unwrap();
    let sentinel = Sentinel::start(&master).unwrap();
    eventually(async || sentinel.knows_replicas(1).unwrap()).await;
    let node = TestNode::start(&sentinel.url()).await;
    let topic = some_topic();
    node.broker.subscribe(topic).await.unwrap();
    assert_eq!(subscribers(&mut connect(&master.url()), topic), 1);
    master.kill().unwrap();
    node.wait_for_notices(&[Interrupted]).await;
    node.wait_for_notices(&[Interrupted, Repaired]).await;
    assert_eq!(subscribers(&mut connect(&replica.url()), topic), 1);
    node.publish(topic, "there").await;
    node.wait_for(topic, "there").await;
    assert_eq!(node.received(topic), ["there"]);
}
