//! A way to a server that can be held up: connections stay open, and nothing passes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub struct Proxy {
    address: SocketAddr,
    /// Whether each connection is held up, in the order of their making.
    held: Arc<Mutex<Vec<watch::Sender<bool>>>>,
    _work: JoinSet<()>,
}

impl Proxy {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let held = Arc::<Mutex<Vec<_>>>::default();
        let mut work = JoinSet::new();
        let accepted = Arc::clone(&held);
        work.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(("127.0.0.1", port)).await;
                let (switch, is_held) = watch::channel(false);
                accepted.lock().unwrap().push(switch);
                // A server that is away closes the client's connection too.
                if let Ok(server) = server {
                    connections.spawn(pass_both_ways(client, server, is_held));
                }
            }
        });
        Self {
            address,
            held,
            _work: work,
        }
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.held.lock().unwrap().len()
    }

    /// Lets nothing pass any more on the connection of this number.
    pub fn hold(&self, number: usize) {
        self.held.lock().unwrap()[number].send_replace(true);
    }

    /// Lets pass on that connection what was held up, too.
    pub fn release(&self, number: usize) {
        self.held.lock().unwrap()[number].send_replace(false);
    }
}

async fn pass_both_ways(client: TcpStream, server: TcpStream, is_held: watch::Receiver<bool>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        pass(from_client, to_server, is_held.clone()),
        pass(from_server, to_client, is_held),
    );
}

/// What was read before the end of the sender is still passed on after it.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut is_held: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        if is_held.wait_for(|held| !held).await.is_err() {
            return;
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            let _ = to.shutdown().await;
            return;
        }
    }
}
