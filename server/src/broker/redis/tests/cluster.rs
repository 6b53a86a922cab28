use std::collections::HashSet;
use std::time::{Duration, Instant};

use app::model::UploadId;
use redis::{Cmd, Connection, FromRedisValue, cmd};
use testbed::{Redis, RedisCluster};

use super::test_node::Notice::{Interrupted, Repaired};
use super::test_node::{TestNode, close, connect, eventually};
use crate::broker::Broker;
use crate::broker::conformance::some_topic;
use crate::broker::redis::payload::channel_of;
use crate::broker::redis::slots::slot_of;

/// A cluster, a node of Tonesa, and topics that it is subscribed to.
struct Fixture {
    cluster: RedisCluster,
    servers: Vec<Connection>,
    node: TestNode,
    topics: Vec<UploadId>,
}

impl Fixture {
    async fn with_topics(number: usize) -> Self {
        let cluster = RedisCluster::start().unwrap();
        let node = TestNode::start(&cluster.url()).await;
        let topics: Vec<_> = (0..number).map(|_| some_topic()).collect();
        let subscribing = topics.iter().map(|topic| node.broker.subscribe(*topic));
        for answer in futures::future::join_all(subscribing).await {
            answer.unwrap();
        }
        Self {
            servers: cluster
                .nodes()
                .iter()
                .map(|it| connect(&it.url()))
                .collect(),
            cluster,
            node,
            topics,
        }
    }

    /// The index of the server that a topic belongs to at first.
    fn initial_server(topic: UploadId) -> usize {
        let slot = slot_of(&channel_of(topic));
        // The first slots of the second and the third server.
        [5_461, 10_922]
            .iter()
            .filter(|first| slot >= **first)
            .count()
    }

    fn topics_of(&self, server: usize) -> HashSet<String> {
        let topics = self.topics.iter().copied();
        let of_it = topics.filter(|topic| Self::initial_server(*topic) == server);
        of_it.map(channel_of).collect()
    }

    async fn check_all_topics(&self, text: &str) {
        for topic in &self.topics {
            self.node.publish(*topic, text).await;
        }
        for topic in &self.topics {
            self.node.wait_for(*topic, text).await;
            let received = self.node.received(*topic);
            assert_eq!(received.iter().filter(|it| *it == text).count(), 1, "once");
        }
    }
}

/// The topics' channels with subscribers at this server.
fn channels(server: &mut Connection) -> HashSet<String> {
    let mut ask = cmd("PUBSUB");
    let mut channels: HashSet<String> = ask.arg("SHARDCHANNELS").query(server).unwrap();
    channels.retain(|channel| !channel.contains("heartbeat"));
    channels
}

fn cluster<T: FromRedisValue>(server: &mut Connection, arguments: &[&str]) -> T {
    let mut ask: Cmd = cmd("CLUSTER");
    for argument in arguments {
        ask.arg(argument);
    }
    ask.query(server).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_topic_is_subscribed_only_at_the_master_of_its_slot() {
    let mut it = Fixture::with_topics(600).await;
    for server in 0..3 {
        assert!(!it.topics_of(server).is_empty());
        assert_eq!(channels(&mut it.servers[server]), it.topics_of(server));
    }
    it.check_all_topics("here").await;
    for topic in std::mem::take(&mut it.topics) {
        it.node.broker.unsubscribe(topic).await.unwrap();
    }
    for server in &mut it.servers {
        assert_eq!(channels(server), HashSet::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_to_one_master_is_repaired_with_all_its_topics() {
    let mut it = Fixture::with_topics(600).await;
    assert_eq!(close(&mut it.servers[1], "pubsub"), 1);
    it.node.wait_for_notices(&[Repaired]).await;
    assert_eq!(channels(&mut it.servers[1]), it.topics_of(1));
    it.check_all_topics("again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topics_of_a_restarted_master_are_subscribed_again() {
    let mut it = Fixture::with_topics(60).await;
    let redis = &it.cluster.nodes()[2];
    redis.kill().unwrap();
    it.node.wait_for_notices(&[Interrupted]).await;
    assert!(it.node.broker.ping().await.is_err());
    redis.restart().unwrap();
    it.cluster.wait().unwrap();
    it.node.wait_for_notices(&[Interrupted, Repaired]).await;
    it.node.broker.ping().await.unwrap();
    it.servers[2] = connect(&redis.url());
    assert_eq!(channels(&mut it.servers[2]), it.topics_of(2));
    it.check_all_topics("again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_moves_with_its_slot_to_another_master() {
    let mut it = Fixture::with_topics(60).await;
    let moved = *it
        .topics
        .iter()
        .find(|it| Fixture::initial_server(**it) == 0)
        .unwrap();
    let unaffected = connection_ids(&mut it.servers[2]);
    let slot = slot_of(&channel_of(moved)).to_string();
    let to: String = cluster(&mut it.servers[1], &["MYID"]);
    let started = Instant::now();
    for server in [1, 0, 2] {
        let moving = ["SETSLOT", &slot, "NODE", &to];
        cluster::<()>(&mut it.servers[server], &moving);
    }
    it.node
        .wait_until(|| it.node.notices().last() == Some(&Repaired))
        .await;
    let channel = channel_of(moved);
    let (one, other) = it.servers.split_at_mut(1);
    eventually(async || channels(&mut other[0]).contains(&channel)).await;
    // Detected by the server's message, not by the regular check of the slots.
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(!channels(&mut one[0]).contains(&channel));
    eventually(async || it.node.broker.ping().await.is_ok()).await;
    it.check_all_topics("moved").await;
    assert_eq!(connection_ids(&mut it.servers[2]), unaffected);
}

/// The ids of the node's connections that subscribe or publish.
fn connection_ids(server: &mut Connection) -> HashSet<String> {
    let list: String = cmd("CLIENT").arg("LIST").query(server).unwrap();
    let ours = list
        .lines()
        .filter(|line| line.contains(" cmd=spublish ") || line.contains(" cmd=ssubscribe "));
    let ids = ours.filter_map(|line| line.split_ascii_whitespace().next());
    ids.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_takes_over_gets_its_masters_topics() {
    let mut it = Fixture::with_topics(60).await;
    let replica = replica_of_first(&mut it);
    it.cluster.nodes()[0].kill().unwrap();
    it.node.wait_for_notices(&[Interrupted]).await;
    it.node.wait_for_notices(&[Interrupted, Repaired]).await;
    assert_eq!(channels(&mut connect(&replica.url())), it.topics_of(0));
    it.check_all_topics("there").await;
}

fn replica_of_first(it: &mut Fixture) -> Redis {
    let replica = Redis::with_args(&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]);
    let replica = replica.unwrap();
    let mut server = connect(&replica.url());
    let master: String = cluster(&mut it.servers[0], &["MYID"]);
    let port = it.cluster.nodes()[0].port().to_string();
    cluster::<()>(&mut server, &["MEET", "127.0.0.1", &port]);
    let mut is_known = || cluster::<String>(&mut server, &["NODES"]).contains(&master);
    wait_for(&mut is_known);
    cluster::<()>(&mut server, &["REPLICATE", &master]);
    wait_for(&mut || {
        let info: String = cmd("INFO").arg("replication").query(&mut server).unwrap();
        info.contains("master_link_status:up")
    });
    // The other masters have to know the replica to vote for it.
    let replicates = format!("slave {master}");
    for other in &mut it.servers[1..] {
        wait_for(&mut || cluster::<String>(other, &["NODES"]).contains(&replicates));
    }
    replica
}

fn wait_for(is_so: &mut dyn FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !is_so() {
        assert!(started.elapsed() < super::test_node::TIMEOUT);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
