//! The properties that hold at every moment, in the calm, and after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{MutexGuard, PoisonError};

use app::live::{Connection, ListedEntry};
use app::model::{LogEntry, LogPage, Seq, ShortId, UploadId};

use crate::Millis;
use crate::client::Client;
use crate::panics;
use crate::property::Property;
use crate::world::World;

/// A node closes a socket that takes nothing: after 20 s, a second until it looks, and 10 s for the close frame. It begins
/// to count when it has something to write, which is at the latest a ping after 30 s.
const MAX_FULL: Millis = 63_000;
/// A node closes a socket whose client has vanished: after three intervals of pings, or when it can write no more; later
/// if it was handling a command of it.
const MAX_VANISHED: Millis = 110_000;
/// So many of a log's newest entries are compared with the lists each second; all of them when everyone has caught up.
const COMPARED: usize = 50;
/// In the calm a message is listed everywhere within this time.
const MAX_LAG: Millis = 2_000;

/// A node compares what it knows with the store every 10 s: a client is told of what no frame has told within this time.
const MAX_UNTOLD: Millis = 13_000;

impl World {
    /// Checks what holds at every moment.
    pub fn check(&mut self) {
        self.check_panics();
        self.check_queues();
        self.check_sockets();
        self.check_images();
        self.check_listed();
        self.record_heads();
        self.check_told();
        if self.is_calm {
            self.check_lags();
        }
        self.retry();
    }

    /// Records what a node has to know from now on: a subscription of it begins.
    pub fn record_known(&mut self, node: usize) {
        let uploads = self.heads.keys();
        let head = |upload: &UploadId| Some((*upload, self.log(*upload, 0)?.head));
        self.nodes[node].heads = uploads.filter_map(head).collect();
    }

    fn violate_all(&mut self, property: Property, violations: Vec<String>) {
        for what in violations {
            self.violate(property, what);
        }
    }

    fn check_queues(&mut self) {
        let mut violations = Vec::new();
        for node in &self.nodes {
            let Some(process) = &node.process else {
                continue;
            };
            let over_limit = process.queues_over_limit().into_iter();
            violations.extend(over_limit.map(|it| format!("n{} queues {it}", node.number)));
        }
        self.violate_all(Property::QueuesAreBounded, violations);
    }

    fn check_panics(&mut self) {
        let panics = panics::take();
        self.violate_all(Property::NothingPanics, panics);
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
        self.violate_all(Property::DeadSocketsClose, violations);
    }

    /// The keys of the images.
    pub fn images(&self) -> MutexGuard<'_, BTreeSet<ShortId>> {
        let images = self.shared.images.lock();
        images.unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that uploads have their images until somebody has asked for their end, or they may have expired.
    fn check_images(&mut self) {
        if self.is_ending {
            return;
        }
        let uploads = self.uploads.values();
        let lost = uploads.filter(|key| !self.images().contains(*key)).count();
        if lost > 0 {
            let what = format!("{lost} images were removed, and their uploads were not deleted");
            self.violate(Property::KeepsImages, what);
        }
    }

    /// Checks that of these uploads, which are gone, neither image nor message is left.
    pub fn check_removed(&mut self, uploads: Vec<UploadId>) {
        let is_left = |upload: &&UploadId| {
            let page = self.log(**upload, 1).unwrap_or_default();
            !page.entries.is_empty() || self.images().contains(&self.uploads[*upload])
        };
        let left = uploads.iter().filter(is_left).count();
        if left > 0 {
            let what = format!("{left} uploads are gone, and are not removed");
            self.violate(Property::LeavesNothing, what);
        }
    }

    fn record_heads(&mut self) {
        let uploads: Vec<_> = self.heads.keys().copied().collect();
        for upload in uploads {
            let head = self.log(upload, 0).map(|page| page.head);
            let now = self.now;
            if let (Some(head), Some(heads)) = (head, self.heads.get_mut(&upload)) {
                heads.retain(|(at, _)| at + MAX_UNTOLD + MAX_LAG > now);
                heads.push((now, head));
            }
        }
    }

    fn check_lags(&mut self) {
        let mut violations = Vec::new();
        let slow = self.slow;
        let others = self.clients.iter().filter(|it| Some(*it.0) != slow);
        for (_, client) in others {
            let heads = self.heads.get(&client.upload).into_iter().flatten();
            let old = heads.filter(|(at, _)| at + MAX_LAG <= self.now);
            let expected = old.map(|(_, head)| *head).max().unwrap_or_default();
            let is_new = client.shown_at + MAX_LAG > self.now;
            if !is_new && client.cursor() < expected {
                let (name, cursor) = (&client.name, client.cursor());
                violations.push(format!(
                    "{name} has {cursor} {MAX_LAG} ms after {expected} was stored, without a fault"
                ));
            }
        }
        self.violate_all(Property::ArrivesInTime, violations);
    }

    /// Checks that sockets which have followed a log for long have told of what was stored before that, unless the node's
    /// process, its store or its broker has failed since.
    fn check_told(&mut self) {
        let mut violations = Vec::new();
        let is_old = |since: Millis| since + MAX_UNTOLD <= self.now;
        for (number, client) in &self.clients {
            let socket = client.socket.and_then(|socket| self.sockets.get(&socket));
            let Some(socket) = socket.filter(|it| it.vanished_at.is_none()) else {
                continue;
            };
            let (node, protocol) = (&self.nodes[socket.node], &socket.protocol);
            let works = is_old(node.works_since) && node.works();
            let tells = protocol.tells_since.is_some_and(is_old) && !protocol.is_uncertain;
            let heads = self.heads.get(&client.upload).into_iter().flatten();
            let old = heads.filter(|(at, _)| is_old(*at));
            let expected = old.map(|(_, head)| *head).max().unwrap_or_default();
            if works && tells && protocol.told < expected {
                let (node, told) = (node.number, protocol.told);
                violations.push(format!(
                    "n{node} has told c{number} of {told}, {MAX_UNTOLD} ms after {expected} was stored"
                ));
            }
        }
        self.violate_all(Property::TellsOfLosses, violations);
    }

    /// Whether every client is connected and has all that is stored.
    pub fn have_caught_up(&self) -> bool {
        self.clients.values().all(|client| {
            let head = self.log(client.upload, 0).map(|page| page.head);
            client.is_settled() && head == Some(client.cursor())
        })
    }

    /// Whether that is so, and every list is the log.
    pub fn is_complete(&self) -> bool {
        self.have_caught_up() && self.differences().is_empty()
    }

    /// Checks that the newest entries of each list are those of the log, of which a list may lack the last ones. After a
    /// restore it may still be that of before.
    fn check_listed(&mut self) {
        if self.is_ending || !self.lost.is_empty() {
            return;
        }
        let logs = self.heads.keys();
        let logs: BTreeMap<_, _> = logs
            .map(|upload| (*upload, self.log(*upload, COMPARED).unwrap_or_default()))
            .collect();
        let clients = self.clients.values();
        let wrong = clients.filter_map(|client| wrongly_listed(client, &logs[&client.upload]));
        self.violate_all(Property::ListsAgree, wrong.collect());
    }

    /// Where lists differ from the log.
    pub fn differences(&self) -> Vec<String> {
        let logs = self.logs();
        let clients = self.clients.values();
        clients
            .filter_map(|client| difference(client, &logs[&client.upload]))
            .collect()
    }

    fn logs(&self) -> BTreeMap<UploadId, LogPage> {
        let logs = self.heads.keys();
        logs.map(|upload| (*upload, self.log(*upload, usize::MAX).unwrap_or_default()))
            .collect()
    }

    /// Checks that every client lists what is stored, and that what was acknowledged is.
    pub fn check_lists(&mut self) {
        self.violate_all(Property::ListsAgree, self.differences());
        let (logs, mut violations) = (self.logs(), Vec::new());
        for (upload, seq, id) in std::mem::take(&mut self.acknowledged) {
            let stored = entries_from(&logs[&upload], seq).first();
            if stored.is_none_or(|stored| stored.id() != id) && !self.lost.contains(&id) {
                violations.push(format!("{seq} was acknowledged and is not stored"));
            }
        }
        let deletions = std::mem::take(&mut self.acknowledged_deletions);
        // A restore may have lost some, also one whose answer was still on its way.
        for (upload, seq) in deletions.into_iter().filter(|_| self.lost.is_empty()) {
            let stored = entries_from(&logs[&upload], seq).first();
            if stored.is_some_and(|it| it.message().is_some()) {
                violations.push(format!(
                    "the deletion of {seq} was acknowledged and is not stored"
                ));
            }
        }
        self.violate_all(Property::Durable, violations);
    }

    /// Checks that every socket has delivered all entries from the first to the last that it has.
    pub fn check_delivery(&mut self) {
        let skips = self.sockets.values().filter_map(|socket| {
            let skipped = socket.protocol.skipped()?;
            Some(format!("c{}'s socket has skipped {skipped}", socket.client))
        });
        self.violate_all(Property::Delivers, skips.collect());
    }

    /// Checks that every client is told of all sockets, and whose they are. A round has fewer clients than the 24 whose
    /// names are told.
    pub fn check_presence(&mut self) {
        let mut violations = Vec::new();
        for client in self.clients.values().filter(|client| !client.is_stalled) {
            let clients = self.clients.values();
            let with = clients.filter(|it| it.upload == client.upload);
            let expected: BTreeSet<_> = with.map(|it| it.name.clone()).collect();
            let presence = client.machine.presence();
            let count = presence.map_or(0, |it| it.count);
            let people = presence.map_or(&[][..], |it| &it.people);
            let told: BTreeSet<_> = people.iter().map(|it| it.name.to_string()).collect();
            if usize::try_from(count) != Ok(expected.len()) || told != expected {
                let name = &client.name;
                violations.push(format!(
                    "{name} is told of {count} viewers, {told:?}, instead of {expected:?}"
                ));
            }
        }
        self.violate_all(Property::Presence, violations);
    }

    /// Whether every client has been told that its upload is gone.
    pub fn are_told_of_the_end(&self, upload: UploadId) -> bool {
        let clients = self.clients.values();
        clients
            .filter(|client| client.upload == upload)
            .all(|client| client.machine.connection() == Connection::Gone)
    }

    /// The newest entries of a log, whoever may still read it.
    pub fn log(&self, upload: UploadId, limit: usize) -> Option<LogPage> {
        self.shared.data.inspect(upload, limit)
    }
}

/// What a client lists that is not so in these newest entries of the log.
fn wrongly_listed(client: &Client, newest: &LogPage) -> Option<String> {
    let (first, listed) = client.machine.listed();
    let compared = newest.entries.iter().filter(|it| it.seq() >= first);
    for stored in compared {
        let index = stored.seq().get() - first.get();
        let listed = usize::try_from(index).ok().and_then(|it| listed.get(it));
        let Some(listed) = listed else {
            break;
        };
        let is_deleted = listed.message.is_none();
        if listed.id != stored.id() || is_deleted && stored.message().is_some() {
            return Some(format!(
                "{} lists something else than {}",
                client.name,
                stored.seq()
            ));
        }
    }
    let (cursor, head) = (client.cursor(), newest.head);
    (cursor > head).then(|| format!("{} lists {cursor}, and {head} are stored", client.name))
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
