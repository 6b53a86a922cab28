//! What a test may rely on once a server is started.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{SocketAddr, TcpStream};

use testbed::{Mongo, Redis, RedisCluster, S3};

fn accepts(port: u16) -> bool {
    TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).is_ok()
}

#[test]
fn a_frozen_redis_does_not_answer_and_does_so_after_thawing() {
    let redis = Redis::start().unwrap();
    redis.freeze().unwrap();
    assert!(redis.call("PING").is_err());
    assert!(redis.process().is_running());
    assert!(accepts(redis.port()), "the kernel still takes connections");
    redis.thaw().unwrap();
    assert_eq!(redis.call("PING").unwrap(), "PONG");
}

#[test]
fn a_frozen_redis_can_be_killed_and_is_back_at_the_same_port() {
    let redis = Redis::start().unwrap();
    let port = redis.port();
    let killed = redis.process().id();
    redis.freeze().unwrap();
    redis.kill().unwrap();
    assert!(!accepts(port));
    assert!(redis.freeze().is_err(), "nothing is there to be frozen");
    redis.restart().unwrap();
    assert_eq!(redis.port(), port);
    assert_ne!(redis.process().id(), killed);
    assert_eq!(redis.call("PING").unwrap(), "PONG");
}

#[test]
fn a_redis_with_a_password_counts_as_started_and_refuses_strangers() {
    let redis = Redis::with_args(&["--requirepass", "secret"]).unwrap();
    let refusal = redis.call("PING").unwrap_err().to_string();
    assert!(refusal.contains("NOAUTH"), "{refusal}");
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let error = Redis::with_args(&["--maxmemory", "plenty"]).err().unwrap();
    let text = format!("{error:#}");
    assert!(text.contains("ended while it was being started"), "{text}");
    assert!(text.contains("maxmemory"), "{text}");
}

#[test]
fn a_server_and_its_folder_are_gone_when_its_handle_is() {
    let redis = Redis::start().unwrap();
    let (port, folder) = (redis.port(), redis.process().path().to_owned());
    assert!(folder.join("log").is_file());
    drop(redis);
    assert!(!accepts(port));
    assert!(!folder.exists());
}

#[test]
fn a_cluster_serves_every_slot_and_outlives_the_restart_of_a_node() {
    let cluster = RedisCluster::start().unwrap();
    let [first, .., last] = cluster.nodes() else {
        panic!("too few nodes");
    };
    let info = first.call("CLUSTER INFO").unwrap();
    assert!(info.contains("cluster_slots_ok:16384"), "{info}");
    assert!(info.contains("cluster_size:3"), "{info}");
    last.restart().unwrap();
    cluster.wait().unwrap();
    assert!(
        cluster
            .url()
            .ends_with(&format!(",127.0.0.1:{}", last.port()))
    );
}

#[test]
fn a_mongodb_server_is_back_at_the_same_port_after_it_was_killed() {
    let mongo = Mongo::start().unwrap();
    if !mongo.is_own() {
        assert!(mongo.kill().is_err(), "it is not ours to end");
        return;
    }
    mongo.freeze().unwrap();
    mongo.thaw().unwrap();
    mongo.kill().unwrap();
    assert!(!mongo.process().unwrap().is_running());
    mongo.restart().unwrap();
    assert!(mongo.process().unwrap().is_running());
}

#[test]
fn an_s3_server_is_back_at_the_same_port_after_it_was_killed() {
    let s3 = S3::start().unwrap();
    let endpoint = s3.endpoint();
    s3.kill().unwrap();
    assert!(!s3.process().is_running());
    s3.restart().unwrap();
    assert_eq!(s3.endpoint(), endpoint);
}

#[test]
fn servers_started_at_the_same_time_do_not_take_each_others_ports() {
    let started: Vec<_> = (0..8).map(|_| std::thread::spawn(Redis::start)).collect();
    let servers: Vec<_> = started
        .into_iter()
        .map(|thread| thread.join().unwrap().unwrap())
        .collect();
    let mut ports: Vec<_> = servers.iter().map(Redis::port).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), servers.len());
    for redis in &servers {
        assert_eq!(redis.call("PING").unwrap(), "PONG");
    }
}
