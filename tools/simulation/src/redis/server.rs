//! The server: its connections, what they are subscribed to, and what it does at each command.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use rand::RngExt;
use server::random;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::resp::{self, Command};
use crate::Millis;
use crate::node::ProcessId;

/// Connections are numbered as they are made.
pub type ConnectionId = u64;

/// What all nodes share.
#[derive(Default)]
pub struct RedisServer {
    last: ConnectionId,
    /// Half-open ones stay until their process ends: one or two for each such fault.
    clients: BTreeMap<ConnectionId, Client>,
    /// Answered or published, and not on its way to this connection yet.
    pushed: Vec<(ConnectionId, Bytes)>,
}

/// The server's end of a connection.
struct Client {
    process: ProcessId,
    channels: BTreeSet<Bytes>,
    /// What has arrived at the node's end. It grows while the node is frozen or cut off, as long as that fault lasts.
    output: mpsc::UnboundedSender<Bytes>,
    tokens: ConnectionTokens,
    /// When the last of what was pushed arrives.
    last_arrival: Millis,
}

/// Each is cancelled when the connection becomes so.
#[derive(Clone, Default)]
pub struct ConnectionTokens {
    pub closed: CancellationToken,
    /// It carries nothing any more, and neither end knows it.
    pub half_open: CancellationToken,
}

impl RedisServer {
    /// Adds a connection of a process, with where it is pushed to.
    pub fn add(
        &mut self,
        process: ProcessId,
        output: mpsc::UnboundedSender<Bytes>,
    ) -> (ConnectionId, ConnectionTokens) {
        self.last += 1;
        let tokens = ConnectionTokens::default();
        let client = Client {
            process,
            channels: BTreeSet::new(),
            output,
            tokens: tokens.clone(),
            last_arrival: 0,
        };
        self.clients.insert(self.last, client);
        (self.last, tokens)
    }

    /// Forgets a connection that is closed.
    pub fn remove(&mut self, connection: ConnectionId) {
        self.clients.remove(&connection);
    }

    /// Forgets the connections of a process that has ended.
    pub fn remove_process(&mut self, process: ProcessId) {
        self.clients.retain(|_, client| client.process != process);
    }

    /// Makes all connections of a process half-open.
    pub fn break_connections(&mut self, process: ProcessId) {
        let clients = self.clients.values();
        for client in clients.filter(|it| it.process == process) {
            client.tokens.half_open.cancel();
        }
    }

    /// Answers a command, after what was pushed to the connection before.
    pub fn answer(&mut self, to: ConnectionId, command: &Command) {
        let answer = self.execute(to, command);
        self.pushed.push((to, answer.into()));
    }

    /// Refuses a command.
    pub fn refuse(&mut self, to: ConnectionId) {
        let answer = Bytes::from_static(b"-ERR refused\r\n");
        self.pushed.push((to, answer));
    }

    fn execute(&mut self, from: ConnectionId, command: &Command) -> Vec<u8> {
        let name = command.first().map(|name| name.to_ascii_uppercase());
        match (name.as_deref(), command.get(1..).unwrap_or_default()) {
            (Some(b"HELLO"), _) => resp::strings("%1", &[b"proto", b"3"]),
            (Some(b"CLIENT"), arguments) => self.client(from, arguments),
            (Some(b"SUBSCRIBE"), [channel]) => {
                if let Some(client) = self.clients.get_mut(&from) {
                    client.channels.insert(channel.clone());
                }
                changed(b"subscribe", channel)
            }
            (Some(b"UNSUBSCRIBE"), [channel]) => {
                if let Some(client) = self.clients.get_mut(&from) {
                    client.channels.remove(channel);
                }
                changed(b"unsubscribe", channel)
            }
            (Some(b"PUBLISH"), [channel, payload]) => {
                let message = resp::strings(">3", &[b"message", channel, payload]);
                let message = Bytes::from(message);
                let clients = self.clients.iter();
                let subscribed = clients.filter(|(_, it)| it.channels.contains(channel));
                let before = self.pushed.len();
                self.pushed
                    .extend(subscribed.map(|(id, _)| (*id, message.clone())));
                resp::number(self.pushed.len() - before)
            }
            _ => b"-ERR unknown command\r\n".to_vec(),
        }
    }

    fn client(&mut self, from: ConnectionId, arguments: &[Bytes]) -> Vec<u8> {
        match arguments.first().map(AsRef::as_ref) {
            Some(b"INFO") => resp::bulk(format!("id={from} addr=node:{from}").as_bytes()),
            Some(b"KILL") => {
                let id = arguments
                    .get(2)
                    .and_then(|id| std::str::from_utf8(id).ok()?.parse().ok());
                let killed = id.and_then(|id: ConnectionId| self.clients.remove(&id));
                if let Some(killed) = &killed {
                    killed.tokens.closed.cancel();
                }
                resp::number(usize::from(killed.is_some()))
            }
            _ => b"+OK\r\n".to_vec(),
        }
    }

    /// Takes what was answered or pushed, with when it arrives at the node's end.
    pub fn take_pushed(&mut self, now: Millis) -> Vec<(Millis, ConnectionId, Bytes)> {
        let pushed = std::mem::take(&mut self.pushed);
        let pushed = pushed.into_iter().filter_map(|(id, bytes)| {
            let last = &mut self.clients.get_mut(&id)?.last_arrival;
            *last = (*last).max(now + random::rng().random_range(1..4));
            Some((*last, id, bytes))
        });
        pushed.collect()
    }

    /// What was pushed has arrived.
    pub fn arrive(&self, connection: ConnectionId, bytes: Bytes) {
        let client = self.clients.get(&connection);
        if let Some(client) = client.filter(|it| !it.tokens.half_open.is_cancelled()) {
            // One that is just being closed takes nothing.
            let _ = client.output.send(bytes);
        }
    }
}

/// The confirmation that a subscription has begun or ended.
fn changed(kind: &[u8], channel: &[u8]) -> Vec<u8> {
    let mut encoded = resp::strings(">3", &[kind, channel]);
    encoded.extend(resp::number(1));
    encoded
}
