//! The properties that hold at every moment, in the calm, and after it.

use std::collections::BTreeMap;

use app::live::{Connection, ListedEntry};
use app::model::{LogEntry, LogPage, Seq, UploadId};
use futures::FutureExt;
use server::store::{Select, Store};

use crate::Millis;
use crate::client::Client;
use crate::world::World;

/// What may be queued for a socket: messages with a partly written one and a close frame, touches, and bytes.
const MAX_MESSAGES: usize = 256 + 2;
const MAX_TOUCHES: usize = 64;
const MAX_BYTES: usize = 1024 * 1024 + 64 * 1024;
/// A node closes a socket that takes nothing: after 20 s, a second until it looks, and 10 s for the close frame.
const MAX_FULL: Millis = 33_000;
/// A node closes a socket whose client has vanished: after three intervals of pings, or when it can write no more; later
/// if it was handling a command of it.
const MAX_VANISHED: Millis = 110_000;
/// In the calm a message is listed everywhere within this time.
const MAX_LAG: Millis = 2_000;

impl World {
    /// Checks what holds at every moment.
    pub fn check(&mut self) {
        self.check_queues();
        self.check_sockets();
        self.record_heads();
        if self.is_calm {
            self.check_lags();
        }
        self.retry();
    }

    fn violate_all(&mut self, violations: Vec<String>) {
        for violation in violations {
            self.violate(violation);
        }
    }

    fn check_queues(&mut self) {
        let mut violations = Vec::new();
        for node in &self.nodes {
            let Some(process) = &node.process else {
                continue;
            };
            let on_node = self.sockets.values().filter(|it| it.node == node.number);
            // One that a client has just closed may not have ended yet.
            let sockets = on_node.count() + self.clients.len();
            let (messages, touches) = process.hub.queued_frames();
            let bytes = process.hub.queued_bytes();
            if messages > sockets * MAX_MESSAGES
                || touches > sockets * MAX_TOUCHES
                || bytes > sockets * MAX_BYTES
            {
                violations.push(format!(
                    "n{} queues {messages} messages, {touches} touches and {bytes} bytes for {sockets} sockets",
                    node.number
                ));
            }
        }
        self.violate_all(violations);
    }

    fn check_sockets(&mut self) {
        let mut violations = Vec::new();
        for socket in self.sockets.values() {
            let node = &self.nodes[socket.node];
            if node.frozen_since.is_some() || socket.is_closed() {
                continue;
            }
            let lasts = |since: Option<Millis>| {
                since.map_or(0, |since| self.now - since.max(node.runs_since))
            };
            let (number, client) = (node.number, socket.client);
            if lasts(socket.full_since) > MAX_FULL {
                violations.push(format!(
                    "n{number} does not close c{client}'s socket, which takes nothing"
                ));
            }
            if lasts(socket.vanished_at) > MAX_VANISHED {
                violations.push(format!(
                    "n{number} does not close the socket of c{client}, which has vanished"
                ));
            }
        }
        self.violate_all(violations);
    }

    fn record_heads(&mut self) {
        let uploads: Vec<_> = self.heads.keys().copied().collect();
        for upload in uploads {
            let head = self.log(upload, 0).map(|page| page.head);
            let now = self.now;
            if let (Some(head), Some(heads)) = (head, self.heads.get_mut(&upload)) {
                heads.retain(|(at, _)| at + 2 * MAX_LAG > now);
                heads.push((now, head));
            }
        }
    }

    fn check_lags(&mut self) {
        let mut violations = Vec::new();
        for client in self.clients.values().filter(|client| !client.is_stalled) {
            let heads = self.heads.get(&client.upload).into_iter().flatten();
            let old = heads.filter(|(at, _)| at + MAX_LAG <= self.now);
            let expected = old.map(|(_, head)| *head).max().unwrap_or_default();
            if client.cursor() < expected {
                let (name, cursor) = (&client.name, client.cursor());
                violations.push(format!(
                    "{name} has {cursor} {MAX_LAG} ms after {expected} was stored, without a fault"
                ));
            }
        }
        self.violate_all(violations);
    }

    /// Whether every client is connected and lists all that is stored.
    pub fn is_complete(&self) -> bool {
        self.clients.values().all(|client| {
            let head = self.log(client.upload, 0).map(|page| page.head);
            client.is_settled() && head == Some(client.cursor())
        })
    }

    /// Checks that every client lists what is stored, and that what was acknowledged is.
    pub fn check_lists(&mut self) {
        let mut violations = Vec::new();
        let logs = self.heads.keys();
        let logs = logs.map(|upload| (*upload, self.log(*upload, usize::MAX).unwrap_or_default()));
        let logs: BTreeMap<_, _> = logs.collect();
        for client in self.clients.values() {
            violations.extend(difference(client, &logs[&client.upload]));
        }
        for (upload, seq, id) in &self.acknowledged {
            let stored = entries_from(&logs[upload], *seq).first();
            if stored.is_none_or(|stored| stored.id() != *id) {
                violations.push(format!("{seq} was acknowledged and is not stored"));
            }
        }
        self.acknowledged.clear();
        self.violate_all(violations);
    }

    /// Checks that every client is told of all sockets.
    pub fn check_presence(&mut self) {
        let mut violations = Vec::new();
        for client in self.clients.values().filter(|client| !client.is_stalled) {
            let with = self
                .clients
                .values()
                .filter(|it| it.upload == client.upload);
            let count = client
                .machine
                .presence()
                .map_or(0, |presence| presence.count);
            let expected = with.count();
            if usize::try_from(count) != Ok(expected) {
                let name = &client.name;
                violations.push(format!(
                    "{name} is told of {count} viewers instead of {expected}"
                ));
            }
        }
        self.violate_all(violations);
    }

    /// Whether every client has been told that its upload is gone.
    pub fn are_all_gone(&self) -> bool {
        let mut clients = self.clients.values();
        clients.all(|client| client.machine.connection() == Connection::Gone)
    }

    /// The newest entries of a log; `None` if the upload is gone.
    pub fn log(&self, upload: UploadId, limit: usize) -> Option<LogPage> {
        let page = self.shared.data.entries(upload, Select::Newest, limit);
        page.now_or_never()?.ok()
    }
}

/// Where a client's list differs from the log.
fn difference(client: &Client, page: &LogPage) -> Option<String> {
    let (first, listed) = client.machine.listed();
    let stored = entries_from(page, first);
    let name = &client.name;
    if listed.len() != stored.len() {
        let (listed, stored) = (listed.len(), stored.len());
        return Some(format!(
            "{name} lists {listed} entries from {first} on of {stored}"
        ));
    }
    let mut pairs = listed.iter().zip(stored);
    let (_, other) = pairs.find(|(listed, stored)| !is_same(listed, stored))?;
    Some(format!("{name} lists something else than {}", other.seq()))
}

fn is_same(listed: &ListedEntry, stored: &LogEntry) -> bool {
    let content = listed.message.as_ref().map(|message| &message.content);
    listed.id == stored.id() && content == stored.message().map(|message| &message.content)
}

fn entries_from(page: &LogPage, first: Seq) -> &[LogEntry] {
    let before = usize::try_from(first.get().saturating_sub(1)).unwrap_or(usize::MAX);
    page.entries.get(before..).unwrap_or_default()
}
