//! The connections between a node and the server, and what faults do to them.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use server::broker::redis::Dial;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use super::resp;
use super::server::{ConnectionId, Fate, RedisServer};
use crate::links::{BrokerLink, Links, chance, pause};
use crate::node::ProcessId;
use crate::world::lock;

/// What the buffers of both kernels hold of a connection.
const BUFFER: usize = 64 * 1024;
/// How long a command takes, with its way, in milliseconds.
const ANSWERED: std::ops::Range<u64> = 1..4;
/// The same if the link is unreliable.
const ANSWERED_SLOWLY: std::ops::Range<u64> = 1..900;
/// How often it is looked whether a node is still cut off.
const LOOK: Duration = Duration::from_millis(200);

/// What one process reaches the server by.
#[derive(Clone)]
pub struct Network {
    pub process: ProcessId,
    pub server: Arc<Mutex<RedisServer>>,
    pub links: Links,
    /// Notified when something was published.
    pub activity: Arc<Notify>,
}

#[async_trait]
impl Dial for Network {
    async fn dial(&self) -> io::Result<DuplexStream> {
        match self.links.broker() {
            BrokerLink::Cut => {
                pause(100..3_000).await;
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            BrokerLink::Unreliable if chance(20) => {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            _ => pause(ANSWERED).await,
        }
        let (node, stream) = tokio::io::duplex(BUFFER);
        let (output, pushed) = mpsc::unbounded_channel();
        let (id, fate) = lock(&self.server).add(self.process, output);
        let connection = Connection {
            id,
            fate,
            network: self.clone(),
            pushed,
        };
        tokio::spawn(connection.serve(stream));
        Ok(node)
    }
}

/// The server's end of a connection. It runs in the node's runtime, and ends with it.
struct Connection {
    id: ConnectionId,
    fate: Fate,
    network: Network,
    pushed: mpsc::UnboundedReceiver<Bytes>,
}

impl Connection {
    async fn serve(mut self, mut stream: DuplexStream) {
        let Fate { closed, silent } = self.fate.clone();
        let carry = async {
            silent
                .run_until_cancelled(self.carry(&mut stream))
                .await
                .is_none()
        };
        let is_silent = closed.run_until_cancelled(carry).await == Some(true);
        if is_silent {
            // Neither end learns that it is lost.
            closed.cancelled().await;
        }
    }

    /// Carries commands and answers until the connection is lost.
    async fn carry(&mut self, stream: &mut DuplexStream) {
        let mut input = BytesMut::new();
        loop {
            let output = tokio::select! {
                biased;
                Some(pushed) = self.pushed.recv() => pushed,
                read = stream.read_buf(&mut input) => {
                    if read.is_ok_and(|length| length > 0) && self.arrives().await {
                        self.answer(&mut input)
                    } else {
                        return;
                    }
                }
            };
            if !self.arrives().await || stream.write_all(&output).await.is_err() {
                return;
            }
        }
    }

    /// Waits until something has arrived at the other end. Returns whether it has: a connection may be lost instead.
    async fn arrives(&self) -> bool {
        match self.network.links.broker() {
            BrokerLink::Fine | BrokerLink::Lossy => true,
            BrokerLink::Unreliable => {
                pause(ANSWERED_SLOWLY).await;
                !chance(5)
            }
            BrokerLink::Cut => {
                while self.network.links.broker() == BrokerLink::Cut {
                    sleep(LOOK).await;
                }
                // What was sent arrives late, or never.
                chance(50)
            }
        }
    }

    /// Executes what was read, and returns the answers.
    fn answer(&self, input: &mut BytesMut) -> Bytes {
        let mut server = lock(&self.network.server);
        let mut answers = Vec::new();
        while let Some(command) = resp::next_command(input) {
            let is_refused = self.network.links.broker() == BrokerLink::Unreliable && chance(10);
            if is_refused {
                answers.extend(b"-ERR refused\r\n");
            } else {
                answers.extend(server.execute(self.id, &command));
            }
        }
        self.network.activity.notify_one();
        answers.into()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.network.server).remove(self.id);
    }
}
