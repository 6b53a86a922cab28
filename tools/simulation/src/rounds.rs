//! A run is made of rounds: people meet at new uploads, there is a storm of faults, everything heals, it is calm, and the
//! uploads are deleted or expire.

use app::model::{AuthorSecret, Content, Kind, MediaType, NewMessage, Timestamp, Upload, UploadId};
use futures::FutureExt;
use server::ids;
use server::store::{Draft, SecretHash, Store};

use crate::Millis;
use crate::api::What;
use crate::event::Event;
use crate::faults::Fault;
use crate::links::StoreLink;
use crate::node;
use crate::plan::{Act, CALM, MEETING, Meeting, Planned, Round};
use crate::property::Property;
use crate::world::{Node, World};

/// Within this time everyone has caught up: a lost frame is noticed within 10 s, and a client that has failed often tries
/// again within 10 s.
const HEALED: Millis = 30_000;
/// Until then nothing is left of clients that have vanished, and of nodes that were killed.
const SETTLED: Millis = 60_000;
/// How long a presence takes to be told everywhere.
const TOLD: Millis = 20_000;
/// When an upload expires, after the storm: everything else is over by then.
const EXPIRES: Millis = 2 * HEALED + SETTLED + CALM + 2 * TOLD + 20_000;
/// Within this time everyone is told of a deletion that was answered.
const GONE: Millis = 2_000;
/// The same if the store of a node is slow, which is asked for one upload after the other.
const GONE_SLOWLY: Millis = 6_000;
/// Within this time everyone is told of the end of an upload that has expired: the store is asked every 10 s.
const EXPIRED: Millis = 15_000;
/// How long it takes until an upload that has expired is removed: five minutes, and what a slow store may take.
const REMOVED: Millis = 360_000;
/// How long nodes need to forget what nobody watches.
const FORGOTTEN: Millis = 30_000;
/// How often nodes without clients wake up within that time, with what the simulation wakes them up for.
const MAX_WAKEUPS: u64 = 10_000;

impl World {
    /// Runs at least one round, and further ones until this much virtual time has passed or a property is violated.
    pub fn run(&mut self, rounds: impl Iterator<Item = Round>, length: Millis) {
        for round in rounds {
            self.progress.plan().rounds.push(round.clone());
            self.round(&round);
            if self.now >= length || self.violation.is_some() {
                return;
            }
        }
    }

    fn round(&mut self, round: &Round) {
        self.enter("meeting");
        self.joined_before = self.joined;
        let storm_end = round.storm_end();
        let expires_at = self.now + storm_end + EXPIRES + round.quiet;
        let uploads = round.uploads.iter();
        let owners: Vec<_> = uploads
            .map(|meeting| self.open(*meeting, expires_at))
            .collect();
        for planned in &round.faults {
            self.after(MEETING + planned.at, Event::BeginFault(*planned));
        }
        self.plan(&round.acts);
        self.run_for(MEETING.min(storm_end));
        self.enter("storm");
        self.run_for(storm_end.saturating_sub(MEETING) + 1);
        self.enter("everything heals");
        self.run_until(HEALED, Self::is_complete);
        self.check_complete();
        self.check_lists();
        self.run_for(SETTLED);
        self.enter("calm");
        self.calm(round);
        if round.quiet > 0 {
            self.enter("quiet");
            self.quiet(round);
        }
        self.enter("the uploads go");
        self.is_ending = true;
        let mut gone = GONE;
        if let Some(node) = round.slow_store {
            self.nodes[node].links.set_store(StoreLink::Slow);
            gone = GONE_SLOWLY;
        }
        for (owner, meeting) in owners.into_iter().zip(&round.uploads) {
            if !meeting.expires {
                self.delete(owner, gone);
            }
        }
        if round.uploads.iter().any(|meeting| meeting.expires) {
            self.run_for(expires_at.saturating_sub(self.now));
        }
        let uploads: Vec<_> = self.heads.keys().copied().collect();
        for upload in uploads {
            self.await_end(upload, EXPIRED);
        }
        self.set_stores(StoreLink::Fine);
        self.enter("everyone has left");
        self.leave(expires_at, round.stores_fail);
    }

    fn set_stores(&self, link: StoreLink) {
        for node in &self.nodes {
            node.links.set_store(link);
        }
    }

    fn enter(&self, phase: &str) {
        if self.violation.is_none() {
            self.trace("!", format_args!("phase: {phase}"));
        }
    }

    fn plan(&mut self, acts: &[Planned<Act>]) {
        for planned in acts {
            self.after(planned.at, Event::Act(planned.what));
        }
    }

    /// Inserts an upload, with clients who show it. Returns that of its owner.
    fn open(&mut self, meeting: Meeting, expires_at: Millis) -> usize {
        let upload = some_upload(meeting.expires.then_some(expires_at));
        let (id, short_id) = (upload.id, upload.short_id);
        let secrets: Vec<AuthorSecret> = (1..=meeting.clients)
            .map(|client| format!("the-secret-of-client-{}", self.joined + client))
            .map(|secret| secret.parse().expect("it is long enough"))
            .collect();
        let owner = secrets.first().map(|secret| SecretHash::new(id, secret));
        let inserted = self.shared.data.insert_upload(upload, owner);
        assert_eq!(inserted.now_or_never(), Some(Ok(())), "ids are unique");
        self.heads.insert(id, Vec::new());
        self.uploads.insert(id, short_id);
        self.images().insert(short_id);
        let owner = self.joined + 1;
        self.write_history(id, &secrets, meeting.history);
        let page = self.load(id);
        for secret in secrets {
            self.add_client(id, secret, page.clone());
        }
        owner
    }

    /// Stores what those with these secrets have written before they meet.
    fn write_history(&self, upload: UploadId, secrets: &[AuthorSecret], count: usize) {
        let draft = |(number, secret): (usize, &AuthorSecret)| Draft {
            id: ids::message_id(),
            message: NewMessage {
                author_name: "earlier".parse().expect("it is a name"),
                content: format!("This is earlier-{number}.")
                    .parse()
                    .expect("it is no blank"),
                client_message_id: format!("earlier-{number}").parse().expect("it is an id"),
                at: None,
                author: Some(secret.tag(upload)),
            },
            created_at: Timestamp::EPOCH,
            owner: Some(SecretHash::new(upload, secret)),
        };
        let drafts = (0..count).zip(secrets.iter().cycle()).map(draft).collect();
        let appended = self.shared.data.append(upload, drafts).now_or_never();
        assert!(matches!(appended, Some(Ok(_))), "the upload exists");
    }

    fn check_complete(&mut self) {
        if !self.have_caught_up() {
            let waiting = self.clients.values().map(|client| {
                let connection = client.machine.connection();
                format!("{} {connection:?} at {}", client.name, client.cursor())
            });
            let waiting: Vec<_> = waiting.collect();
            let what = format!("not all have caught up: {}", waiting.join(", "));
            self.violate(Property::CatchesUp, what);
        }
    }

    /// Without faults every message arrives at once, whatever one client does that does not read.
    fn calm(&mut self, round: &Round) {
        self.is_calm = true;
        self.slow = round.slow.map(|slow| self.guest(slow.what));
        if let (Some(slow), Some(client)) = (round.slow, self.slow) {
            self.set_stalled(client, true);
            self.after(
                slow.duration,
                Event::EndFault(Fault::ClientStalls(slow.what)),
            );
        }
        self.plan(&round.calm);
        self.run_for(CALM);
        self.run_until(HEALED, Self::is_complete);
        self.run_for(TOLD);
        self.is_calm = false;
        self.check_delivery();
        self.check_complete();
        self.check_lists();
        self.check_presence();
    }

    /// Nobody writes for long. Then somebody does, and everyone has it at once.
    fn quiet(&mut self, round: &Round) {
        (self.is_calm, self.slow) = (true, None);
        self.plan(&round.later);
        self.run_for(round.quiet + TOLD);
        self.is_calm = false;
        self.check_delivery();
        self.check_complete();
        self.check_lists();
        self.check_presence();
    }

    /// Lets an owner delete the upload: everyone is told within this time.
    fn delete(&mut self, owner: usize, within: Millis) {
        let Some(upload) = self.clients.get(&owner).map(|client| client.upload) else {
            return;
        };
        self.call(owner, What::DeleteUpload);
        self.run_until(5_000, |world| world.deleted.contains(&upload));
        if !self.deleted.contains(&upload) {
            let what = "an upload could not be deleted, without a fault";
            self.violate(Property::Deletes, what.into());
        }
        self.await_end(upload, within);
    }

    /// Everyone learns that an upload is gone.
    fn await_end(&mut self, upload: UploadId, within: Millis) {
        self.run_until(within, |world| world.are_told_of_the_end(upload));
        if !self.are_told_of_the_end(upload) {
            let what = format!("somebody was not told within {within} ms that an upload is gone");
            self.violate(Property::ToldOfTheEnd, what);
        }
    }

    /// Everyone leaves, and what has expired is removed.
    fn leave(&mut self, expires_at: Millis, stores_fail: bool) {
        let clients: Vec<_> = self.clients.keys().copied().collect();
        for client in clients {
            self.close(client);
            self.clients.remove(&client);
        }
        let wakeups = |world: &Self| world.nodes.iter().map(Node::wakeups).sum::<u64>();
        let before = wakeups(self);
        self.run_for(FORGOTTEN);
        let wakeups = wakeups(self).saturating_sub(before);
        if wakeups > MAX_WAKEUPS {
            let what = format!("nodes without clients have woken up {wakeups} times");
            self.violate(Property::Rests, what);
        }
        self.check_nothing_left();
        self.check_removed(self.deleted.clone());
        if self.deleted.len() < self.uploads.len() {
            let mut removed_at = expires_at + REMOVED;
            if stores_fail {
                self.set_stores(StoreLink::Failing);
                self.run_for(REMOVED);
                self.set_stores(StoreLink::Fine);
                removed_at = self.now + REMOVED;
            }
            self.run_for(removed_at.saturating_sub(self.now));
            self.check_removed(self.uploads.keys().copied().collect());
        }
        self.is_ending = false;
        self.images().clear();
        self.uploads.clear();
        self.kept_pages.clear();
        self.shared.data.clear();
        self.deleted.clear();
        self.heads.clear();
        self.lost.clear();
        self.acknowledged.clear();
        self.acknowledged_deletions.clear();
    }

    /// Checks that the nodes have nothing to do, and nothing is kept of topics that nobody watches.
    fn check_nothing_left(&mut self) {
        let processes = self.nodes.iter().filter_map(|node| node.process.as_ref());
        let busy = processes.filter(|process| process.is_busy()).count();
        if busy > 0 {
            let what = format!("{busy} nodes have something to do, and nobody is there");
            self.violate(Property::LeavesNothing, what);
        }
        let processes = self.nodes.iter().filter_map(|node| node.process.as_ref());
        let rooms: usize = processes.map(|process| process.hub.topic_count()).sum();
        if rooms > 0 {
            let what = format!("{rooms} topics are watched, and nobody is there");
            self.violate(Property::LeavesNothing, what);
        }
    }
}

fn some_upload(expires_at: Option<Millis>) -> Upload {
    let (id, short_id): (UploadId, _) = (ids::upload_id(), ids::short_id());
    Upload {
        id,
        short_id,
        kind: Kind::Image,
        content: Content {
            url: format!("/i/{short_id}"),
            media_type: MediaType::Jpeg,
            size: 482_113,
            width: 640,
            height: 480,
        },
        created_at: Timestamp::EPOCH,
        expires_at: expires_at.map(node::wall),
    }
}
