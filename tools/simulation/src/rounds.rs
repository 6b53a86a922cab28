//! A run is made of rounds: people meet at new uploads, there is a storm of faults, everything heals, it is calm, and the
//! uploads are deleted.

use app::model::{AuthorSecret, Content, Kind, LogPage, MediaType, Timestamp, Upload, UploadId};
use futures::FutureExt;
use rand::RngExt;
use server::store::{SecretHash, Store};
use server::{ids, random};

use crate::Millis;
use crate::api::What;
use crate::client::BURST;
use crate::event::Event;
use crate::links::chance;
use crate::world::World;

const UPLOADS: usize = 2;
const CLIENTS_PER_UPLOAD: std::ops::RangeInclusive<usize> = 2..=4;
/// How long faults begin.
const STORM: std::ops::Range<Millis> = 60_000..300_000;
/// Until then all faults have ended.
const FAULTS_END: Millis = 60_000;
/// Within this time everyone has caught up: a lost frame is noticed within 10 s, and a client that has failed often tries
/// again within 10 s.
const HEALED: Millis = 30_000;
/// Until then nothing is left of clients that have vanished, and of nodes that were killed.
const SETTLED: Millis = 60_000;
const CALM: Millis = 40_000;
/// A node asks the store within this time whether an upload is gone, if it was not told.
const GONE: Millis = 30_000;

impl World {
    /// Runs one round, or until a property is violated.
    pub fn round(&mut self) {
        let owners: Vec<_> = (0..UPLOADS).map(|_| self.open()).collect();
        self.is_busy = true;
        self.run_for(10_000);
        self.is_stormy = true;
        self.after(0, Event::BeginFault);
        self.run_for(random::rng().random_range(STORM));
        self.is_stormy = false;
        // Nothing that is written later shows what was lost.
        self.is_busy = chance(50);
        self.run_until(FAULTS_END, |world| world.open_faults == 0);
        self.is_busy = false;
        self.run_until(HEALED, Self::is_complete);
        if !self.is_complete() {
            let waiting = self.clients.values().map(|client| {
                let connection = client.machine.connection();
                format!("{} {connection:?} at {}", client.name, client.cursor())
            });
            let waiting: Vec<_> = waiting.collect();
            self.violate(format!("not all have caught up: {}", waiting.join(", ")));
        }
        self.check_lists();
        self.run_for(SETTLED);
        self.calm();
        for owner in owners {
            self.delete(owner);
        }
        self.close_all();
    }

    /// Inserts an upload, with clients who show it. Returns that of its owner.
    fn open(&mut self) -> usize {
        let upload = some_upload();
        let id = upload.id;
        let clients = random::rng().random_range(CLIENTS_PER_UPLOAD);
        let secrets: Vec<AuthorSecret> = (0..clients)
            .map(|_| format!("the-secret-of-client-{}", self.new_number()))
            .map(|secret| secret.parse().expect("it is long enough"))
            .collect();
        let owner = SecretHash::new(id, &secrets[0]);
        let inserted = self.shared.data.insert_upload(upload, Some(owner));
        assert_eq!(inserted.now_or_never(), Some(Ok(())), "ids are unique");
        self.heads.insert(id, Vec::new());
        let mut secrets = secrets.into_iter();
        let mut add = |secret| self.add_client(id, secret, LogPage::default());
        let owner = secrets.next().map(&mut add);
        for secret in secrets {
            add(secret);
        }
        owner.expect("there is at least one client")
    }

    /// Without faults every message arrives at once, whatever one client does that does not read.
    fn calm(&mut self) {
        self.is_calm = true;
        let clients: Vec<_> = self.clients.keys().copied().collect();
        let slow = clients[random::rng().random_range(0..clients.len())];
        self.set_stalled(slow, true);
        self.is_busy = true;
        for client in clients {
            self.write(client, BURST);
        }
        self.run_for(CALM);
        self.is_busy = false;
        self.is_calm = false;
        self.set_stalled(slow, false);
        self.run_until(HEALED, Self::is_complete);
        self.run_for(20_000);
        self.check_lists();
        self.check_presence();
    }

    /// Lets an owner delete the upload.
    fn delete(&mut self, owner: usize) {
        let upload = self.clients[&owner].upload;
        self.call(owner, What::DeleteUpload);
        self.run_until(5_000, |world| world.deleted.contains(&upload));
        if !self.deleted.contains(&upload) {
            self.violate("an upload could not be deleted, without a fault".into());
        }
    }

    /// Everyone learns that the uploads are gone, and leaves.
    fn close_all(&mut self) {
        self.run_until(GONE, Self::are_all_gone);
        if !self.are_all_gone() {
            self.violate("somebody was not told that an upload is gone".into());
        }
        let clients: Vec<_> = self.clients.keys().copied().collect();
        for client in clients {
            self.close(client);
            self.clients.remove(&client);
        }
        self.run_for(30_000);
        let data = &self.shared.data;
        for upload in self.deleted.drain(..) {
            _ = data.remove_log(upload, usize::MAX).now_or_never();
            _ = data.finish_removal(upload).now_or_never();
        }
        self.heads.clear();
        self.acknowledged.clear();
        self.check_rooms();
    }

    fn check_rooms(&mut self) {
        let processes = self.nodes.iter().filter_map(|node| node.process.as_ref());
        let rooms: usize = processes.map(|process| process.hub.topic_count()).sum();
        if rooms > 0 {
            self.violate(format!("{rooms} topics are watched, and nobody is there"));
        }
    }
}

fn some_upload() -> Upload {
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
        expires_at: None,
    }
}
