//! A proxy whose connections can be paused: they stay open, and no bytes pass.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub struct Proxy {
    address: SocketAddr,
    /// Whether each connection is paused, in the order in which they were made.
    paused: Arc<Mutex<Vec<watch::Sender<bool>>>>,
    _work: JoinSet<()>,
}

impl Proxy {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let paused = Arc::<Mutex<Vec<_>>>::default();
        let mut work = JoinSet::new();
        let accepted = Arc::clone(&paused);
        work.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(("127.0.0.1", port)).await;
                let (switch, is_paused) = watch::channel(false);
                accepted.lock().unwrap().push(switch);
                // Without a server the client's connection is closed.
                if let Ok(server) = server {
                    connections.spawn(copy_both_ways(client, server, is_paused));
                }
            }
        });
        Self {
            address,
            paused,
            _work: work,
        }
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.paused.lock().unwrap().len()
    }

    /// Pauses a connection.
    pub fn pause(&self, number: usize) {
        self.paused.lock().unwrap()[number].send_replace(true);
    }

    /// Resumes a connection, including the bytes that were held back.
    pub fn resume(&self, number: usize) {
        self.paused.lock().unwrap()[number].send_replace(false);
    }
}

async fn copy_both_ways(client: TcpStream, server: TcpStream, is_paused: watch::Receiver<bool>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        copy(from_client, to_server, is_paused.clone()),
        copy(from_server, to_client, is_paused),
    );
}

/// Copies bytes until either side ends.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut is_paused: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        if is_paused.wait_for(|paused| !paused).await.is_err() {
            return;
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            let _ = to.shutdown().await;
            return;
        }
    }
}
