use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Disruption, Proxy};

const MESSAGE: &[u8] = b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n";
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
async fn only_messages_are_lost_and_always_whole() {
    const SUBSCRIBED: &[u8] = b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";
    const SHARDED: &[u8] = b">3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$0\r\n\r\n";
    let (proxy, mut node, mut redis) = connected().await;
    proxy.lose(100);
    redis
        .write_all(&[MESSAGE, SUBSCRIBED, SHARDED, b":2\r\n"].concat())
        .await
        .unwrap();
    let expected = [SUBSCRIBED, b":2\r\n"].concat();
    assert_eq!(read(&mut node, expected.len()).await, expected);
    assert_eq!(proxy.lost(), 2);
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
    proxy.disrupt(Disruption::HalfOpen);
    redis.write_all(MESSAGE).await.unwrap();
    node.write_all(b"*1\r\n$4\r\nPING\r\n").await.unwrap();
    assert!(is_silent(&mut node).await);
    assert!(is_silent(&mut redis).await);
    // Neither a cut nor the server's end reaches the node.
    proxy.disrupt(Disruption::Cut);
    drop(redis);
    assert!(is_silent(&mut node).await);
}

#[tokio::test]
async fn a_cut_connection_ends_for_both() {
    let (proxy, mut node, mut redis) = connected().await;
    proxy.disrupt(Disruption::Cut);
    for stream in [&mut node, &mut redis] {
        let end = timeout(TIMEOUT, stream.read_u8()).await.unwrap();
        assert!(end.is_err());
    }
}
