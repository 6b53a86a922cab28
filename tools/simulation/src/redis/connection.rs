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
use super::server::{ConnectionId, ConnectionTokens, RedisServer};
use crate::links::{ANSWERED, ANSWERED_SLOWLY, BrokerLink, Links, REFUSED, chance, pause};
use crate::node::ProcessId;
use crate::world::lock;

/// What the buffers of both kernels hold of a connection.
const BUFFER: usize = 64 * 1024;
/// How often it is looked whether a node is still cut off.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How one process connects to the server.
#[derive(Clone)]
pub struct Dialer {
    pub process: ProcessId,
    pub server: Arc<Mutex<RedisServer>>,
    pub links: Links,
    /// Notified when something was published.
    pub activity: Arc<Notify>,
}

#[async_trait]
impl Dial for Dialer {
    async fn dial(&self) -> io::Result<DuplexStream> {
        match self.links.broker() {
            BrokerLink::Cut => {
                pause(REFUSED).await;
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            BrokerLink::Unreliable if chance(20) => {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            _ => pause(ANSWERED).await,
        }
        let (node, stream) = tokio::io::duplex(BUFFER);
        let (output, pushed) = mpsc::unbounded_channel();
        let (id, tokens) = lock(&self.server).add(self.process, output);
        let connection = Connection {
            id,
            tokens,
            dialer: self.clone(),
            pushed,
        };
        tokio::spawn(connection.serve(stream));
        Ok(node)
    }
}

/// The server's end of a connection. It runs in the node's runtime, and ends with it.
struct Connection {
    id: ConnectionId,
    tokens: ConnectionTokens,
    dialer: Dialer,
    pushed: mpsc::UnboundedReceiver<Bytes>,
}

impl Connection {
    async fn serve(mut self, mut stream: DuplexStream) {
        let ConnectionTokens { closed, half_open } = self.tokens.clone();
        let carry = async {
            half_open
                .run_until_cancelled(self.carry(&mut stream))
                .await
                .is_none()
        };
        let is_half_open = closed.run_until_cancelled(carry).await == Some(true);
        if is_half_open {
            // Neither end learns that it is lost.
            closed.cancelled().await;
        }
    }

    /// Carries commands and answers until the connection is lost.
    async fn carry(&mut self, stream: &mut DuplexStream) {
        let mut input = BytesMut::new();
        loop {
            tokio::select! {
                biased;
                Some(pushed) = self.pushed.recv() => {
                    if !self.arrives().await || stream.write_all(&pushed).await.is_err() {
                        return;
                    }
                }
                read = stream.read_buf(&mut input) => {
                    if !read.is_ok_and(|length| length > 0) || !self.arrives().await {
                        return;
                    }
                    self.answer(&mut input);
                }
            }
        }
    }

    /// Waits until something has arrived at the other end. Returns whether it has: a connection may be lost instead.
    async fn arrives(&self) -> bool {
        match self.dialer.links.broker() {
            // What has been answered and published takes its time on the way to the node.
            BrokerLink::Fine | BrokerLink::Lossy => true,
            BrokerLink::Unreliable => {
                pause(ANSWERED_SLOWLY).await;
                !chance(5)
            }
            BrokerLink::Cut => {
                while self.dialer.links.broker() == BrokerLink::Cut {
                    sleep(POLL_INTERVAL).await;
                }
                // What was sent arrives late, or never.
                chance(50)
            }
        }
    }

    /// Answers what was read.
    fn answer(&self, input: &mut BytesMut) {
        let mut server = lock(&self.dialer.server);
        while let Some(command) = resp::next_command(input) {
            let is_refused = self.dialer.links.broker() == BrokerLink::Unreliable && chance(10);
            if is_refused {
                server.refuse(self.id);
            } else {
                server.answer(self.id, &command);
            }
        }
        self.dialer.activity.notify_one();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.dialer.server).remove(self.id);
    }
}
