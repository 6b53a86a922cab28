//! A proxy between a node and Redis that makes connections half-open: they stay open and carry nothing.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, copy, copy_bidirectional, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::yield_now;
use tokio_util::task::AbortOnDropHandle;

/// A proxy; its connections end when it is dropped.
pub struct Proxy {
    port: u16,
    half_open: broadcast::Sender<()>,
    _accepting: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Starts a proxy to a server on a port of this machine.
    pub async fn start(upstream: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (half_open, _) = broadcast::channel(1);
        let upstream = (Ipv4Addr::LOCALHOST, upstream).into();
        let accepting = tokio::spawn(accept(listener, upstream, half_open.clone()));
        Ok(Self {
            port,
            half_open,
            _accepting: AbortOnDropHandle::new(accepting),
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What arrives on the connections that there are is discarded from now on: neither side learns of the other's end.
    pub fn make_half_open(&self) {
        // An error means that there is no connection.
        let _ = self.half_open.send(());
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, half_open: broadcast::Sender<()>) {
    loop {
        if let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, upstream, half_open.subscribe()));
        } else {
            // Too many files are open.
            yield_now().await;
        }
    }
}

/// Forwards in both directions until one side closes, or the connection is made half-open.
async fn forward(
    mut client: TcpStream,
    upstream: SocketAddr,
    mut half_open: broadcast::Receiver<()>,
) {
    // When the server refuses the connection the proxy closes it.
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        return;
    };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    tokio::select! {
        // In this order: what arrives afterwards is not forwarded.
        biased;
        made = half_open.recv() => if made.is_err() { return },
        _ = copy_bidirectional(&mut client, &mut server) => return,
    }
    // Both sides' bytes are read, so that they seem to arrive; until the client gives up, whatever the server does.
    let discarding = tokio::spawn(discard(server));
    discard(client).await;
    discarding.abort();
}

async fn discard(mut from: impl AsyncRead + Unpin) {
    let _ = copy(&mut from, &mut sink()).await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);
    /// Long enough for what is going to arrive to have arrived.
    const SILENCE: Duration = Duration::from_millis(100);

    async fn read(stream: &mut TcpStream) -> u8 {
        timeout(TIMEOUT, stream.read_u8()).await.unwrap().unwrap()
    }

    async fn is_silent(stream: &mut TcpStream) -> bool {
        timeout(SILENCE, stream.read_u8()).await.is_err()
    }

    #[tokio::test]
    async fn a_half_open_connection_carries_nothing_and_is_not_closed() {
        let redis = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start(redis.local_addr().unwrap().port())
            .await
            .unwrap();
        let connect = || TcpStream::connect(("127.0.0.1", proxy.port()));
        let mut node = connect().await.unwrap();
        let (mut server, _) = redis.accept().await.unwrap();
        node.write_u8(1).await.unwrap();
        server.write_u8(2).await.unwrap();
        assert_eq!((read(&mut server).await, read(&mut node).await), (1, 2));
        proxy.make_half_open();
        node.write_u8(3).await.unwrap();
        server.write_u8(4).await.unwrap();
        assert!(is_silent(&mut node).await && is_silent(&mut server).await);
        drop(server);
        assert!(is_silent(&mut node).await);
        // A new one works.
        let mut node = connect().await.unwrap();
        let (mut server, _) = redis.accept().await.unwrap();
        node.write_u8(5).await.unwrap();
        assert_eq!(read(&mut server).await, 5);
    }
}
