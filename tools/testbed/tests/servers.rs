//! How servers start and end. The tests of `server` freeze, kill and restart them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{SocketAddr, TcpStream};

use testbed::Redis;

fn accepts(port: u16) -> bool {
    TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).is_ok()
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
    let (port, folder) = (redis.port(), redis.path().to_owned());
    assert!(folder.join("log").is_file());
    drop(redis);
    assert!(!accepts(port));
    assert!(!folder.exists());
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
