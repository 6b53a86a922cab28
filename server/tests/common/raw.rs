//! Sends requests byte by byte, for those that no HTTP client sends.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a node may take to answer in a test.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends the bytes, and reads until the node closes the connection, which `Connection: close` makes it do.
pub async fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    read_all(&mut stream).await
}

/// Reads until the node closes the connection.
pub async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut answer))
        .await
        .expect("the node closes the connection")
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until the text has arrived, and returns everything up to it.
pub async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut answer = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&answer).contains(text) {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.unwrap();
            assert!(
                read > 0,
                "closed after {:?}",
                String::from_utf8_lossy(&answer)
            );
            answer.extend_from_slice(&piece[..read]);
        }
    };
    timeout(TIMEOUT, reading).await.expect("the node answers");
    String::from_utf8_lossy(&answer).into_owned()
}
