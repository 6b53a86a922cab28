use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::Proxy;

const MESSAGE: &[u8] = b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n";
const TIMEOUT: Duration = Duration::from_secs(5);
/// Long enough for what is going to arrive to have arrived.
const SILENCE: Duration = Duration::from_millis(100);

/// A proxy, a connection's end at the node, and the other one at Redis.
async fn connected() -> (Proxy, TcpStream, TcpStream) {
    let redis = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(redis.local_addr().unwrap().port(), 1)
        .await
        .unwrap();
    let node = connect(&proxy).await;
    let (redis, _) = redis.accept().await.unwrap();
    (proxy, node, redis)
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port()))
        .await
        .unwrap()
}

async fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    timeout(TIMEOUT, stream.read_exact(&mut bytes))
        .await
        .unwrap()
        .unwrap();
    bytes
}

async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(SILENCE, stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn both_directions_are_passed_on() {
    let (_proxy, mut node, mut redis) = connected().await;
    node.write_all(b"*1\r\n$4\r\nPING\r\n").await.unwrap();
    assert_eq!(read(&mut redis, 14).await, b"*1\r\n$4\r\nPING\r\n");
    redis.write_all(MESSAGE).await.unwrap();
    assert_eq!(read(&mut node, MESSAGE.len()).await, MESSAGE);
}

#[tokio::test]
async fn only_messages_are_lost_and_always_whole() {
    let (proxy, mut node, mut redis) = connected().await;
    proxy.lose(100);
    redis.write_all(b":1\r\n").await.unwrap();
    redis.write_all(MESSAGE).await.unwrap();
    redis.write_all(b":2\r\n").await.unwrap();
    assert_eq!(read(&mut node, 8).await, b":1\r\n:2\r\n");
    assert_eq!(proxy.lost(), 1);
    proxy.lose(0);
    redis.write_all(MESSAGE).await.unwrap();
    assert_eq!(read(&mut node, MESSAGE.len()).await, MESSAGE);
}

#[tokio::test]
async fn about_five_of_a_hundred_are_lost() {
    let (proxy, mut node, mut redis) = connected().await;
    proxy.lose(5);
    redis.write_all(&MESSAGE.repeat(2_000)).await.unwrap();
    redis.write_all(b"+END\r\n").await.unwrap();
    let mut arrived = Vec::new();
    while !arrived.ends_with(b"+END\r\n") {
        let read = timeout(TIMEOUT, node.read_buf(&mut arrived)).await;
        assert!(read.unwrap().unwrap() > 0);
    }
    let lost = proxy.lost();
    assert!((50..150).contains(&lost), "{lost}");
    let forwarded = (arrived.len() - 6) / MESSAGE.len();
    assert_eq!(forwarded + lost, 2_000);
}

#[tokio::test]
async fn a_half_open_connection_carries_nothing_and_is_not_closed() {
    let (proxy, mut node, mut redis) = connected().await;
    proxy.make_half_open();
    redis.write_all(MESSAGE).await.unwrap();
    node.write_all(b"*1\r\n$4\r\nPING\r\n").await.unwrap();
    assert!(is_silent(&mut node).await);
    assert!(is_silent(&mut redis).await);
    // Neither a cut nor the server's end reaches the node.
    proxy.cut();
    drop(redis);
    assert!(is_silent(&mut node).await);
}

#[tokio::test]
async fn a_cut_connection_ends_for_both() {
    let (proxy, mut node, mut redis) = connected().await;
    proxy.cut();
    for stream in [&mut node, &mut redis] {
        let end = timeout(TIMEOUT, stream.read_u8()).await.unwrap();
        assert!(end.is_err());
    }
}

#[tokio::test]
async fn without_a_server_the_connection_is_closed() {
    let redis = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = redis.local_addr().unwrap().port();
    drop(redis);
    let proxy = Proxy::start(port, 1).await.unwrap();
    let mut node = connect(&proxy).await;
    let end = timeout(TIMEOUT, node.read_u8()).await.unwrap();
    assert!(end.is_err());
}
