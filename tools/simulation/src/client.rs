//! A client: the browser's state machine, and somebody who uses it.

use std::collections::BTreeMap;

use app::live::connection::ConnectionEvent;
use app::live::effect::{Effect, Now, Timer};
use app::live::machine::{Input, Machine};
use app::live::{Connection, Delivery, ListedMessage, OlderMessages};
use app::model::{AuthorSecret, LogPage, Point, Seq, Timestamp, UploadId, Viewer};
use rand::seq::IndexedRandom;
use server::random;

use crate::Millis;
use crate::api::{NEWEST, What};
use crate::links::chance;
use crate::plan::{Act, Does};
use crate::world::World;

/// How many messages somebody writes who has much to say.
pub const BURST: usize = 30;

/// A client.
pub struct Client {
    pub name: String,
    pub upload: UploadId,
    pub secret: AuthorSecret,
    pub machine: Machine,
    pub socket: Option<u64>,
    /// How often each timer was started or stopped.
    pub timers: [u64; Timer::COUNT],
    /// The calls under way.
    pub calls: BTreeMap<u64, What>,
    /// Whether it does not read.
    pub is_stalled: bool,
    /// When it was shown.
    pub shown_at: Millis,
    written: usize,
    /// Whether its list has just started anew: the server has another history.
    pub starts_anew: bool,
}

impl Client {
    /// Creates a client that shows this page.
    pub fn new(
        number: usize,
        upload: UploadId,
        secret: AuthorSecret,
        page: LogPage,
        shown_at: Millis,
    ) -> Self {
        let name = format!("c{number}");
        let tab = name.parse().expect("clients are named like tabs");
        let me = Viewer {
            author: Some(secret.tag(upload)),
            name: name.parse().ok(),
        };
        Self {
            machine: Machine::new(upload, page, tab, me),
            name,
            upload,
            secret,
            socket: None,
            timers: [0; Timer::COUNT],
            calls: BTreeMap::new(),
            is_stalled: false,
            shown_at,
            written: 0,
            starts_anew: false,
        }
    }

    /// Handles an input, and returns what is to be done.
    pub fn handle(&mut self, input: Input, now: Millis) -> Vec<Effect> {
        self.machine.handle(input, at(now));
        let changes = self.machine.take_changes();
        self.starts_anew = changes.restarted;
        if changes.ripples {
            // Animations end at once: first that of the ripple, then that of its dot.
            let ripples: Vec<_> = self.machine.ripples().iter().map(|it| it.id).collect();
            for id in ripples {
                self.machine.handle(Input::EndRipple(id), at(now));
                self.machine.handle(Input::EndRipple(id), at(now));
            }
        }
        self.machine.take_effects()
    }

    /// The number of the last entry that is listed.
    pub fn cursor(&self) -> Seq {
        let (first, listed) = self.machine.listed();
        Seq::new(first.get() - 1 + listed.len() as u64)
    }

    /// What its reader sees: the connection, and the number of the last entry.
    pub fn state(&self) -> (Connection, Seq) {
        (self.machine.connection(), self.cursor())
    }

    /// Whether it is connected and has no message that is not stored.
    pub fn is_settled(&self) -> bool {
        let connection = self.machine.connection();
        matches!(connection, Connection::Live | Connection::CaughtUp { .. })
            && self.machine.unsent().is_empty()
            && self.machine.older() != OlderMessages::Loading
            && self.calls.is_empty()
    }

    /// Writes a message, and returns what is to be done.
    fn write(&mut self) -> Vec<Effect> {
        self.written += 1;
        let key = format!("{}-{}", self.name, self.written);
        let place = Point::new(random::random(), random::random());
        self.machine.send(ListedMessage {
            key: key.parse().expect("clients are named like messages"),
            seq: Seq::ZERO,
            author_name: self.name.parse().expect("clients are named like people"),
            content: format!("This is {key}.").parse().expect("it is no blank"),
            created_at: Timestamp::EPOCH,
            author: Some(self.secret.tag(self.upload)),
            at: place.ok().filter(|_| chance(50)),
            pin: None,
            mine: true,
            delivery: Delivery::Sending,
        });
        self.machine.take_effects()
    }

    /// What the user tries again.
    fn retries(&self) -> Vec<Input> {
        let (_, listed) = self.machine.listed();
        let listed = listed.iter().filter_map(|it| it.message.as_ref());
        let retry = |entry: &ListedMessage| match entry.delivery {
            Delivery::Failed { retry: true, .. } => Some(Input::Retry(entry.key.clone())),
            Delivery::NotDeleted { .. } => Some(Input::Delete(entry.seq)),
            _ => None,
        };
        listed
            .chain(self.machine.unsent())
            .filter_map(retry)
            .collect()
    }

    /// The listed messages that its user has written, oldest first.
    fn own_messages(&self) -> Vec<Seq> {
        let (_, listed) = self.machine.listed();
        let own = listed.iter().filter_map(|it| it.message.as_ref());
        own.filter(|it| it.mine).map(|it| it.seq).collect()
    }
}

impl World {
    /// Lets a new client show an upload.
    pub fn add_client(&mut self, upload: UploadId, secret: AuthorSecret, page: LogPage) -> usize {
        self.joined += 1;
        let number = self.joined;
        self.trace(format_args!("c{number}"), format_args!("shows {upload}"));
        let client = Client::new(number, upload, secret, page, self.now);
        self.clients.insert(number, client);
        self.give(number, Input::Connection(ConnectionEvent::Mounted));
        number
    }

    /// A user does something.
    pub fn act(&mut self, Act { client, does }: Act) {
        let client = self.guest(client);
        let Some(known) = self.clients.get_mut(&client) else {
            return;
        };
        let happens = Input::Connection;
        let inputs = match does {
            Does::Write(count) => return self.write(client, count),
            Does::Reload => return self.reload(client),
            Does::Delete => {
                let own = known.own_messages();
                let some = own.choose(&mut random::rng());
                some.copied().map(Input::Delete).into_iter().collect()
            }
            Does::Regret => delete_at_once(known.own_messages().pop()),
            Does::RegretOldest => delete_at_once(known.own_messages().first().copied()),
            Does::LookAway => look_away().into(),
            Does::LoadOlder => vec![Input::LoadOlder],
            Does::Leave => vec![
                happens(ConnectionEvent::PageHidden),
                happens(ConnectionEvent::PageShown),
            ],
            Does::Touch => {
                let place = Point::new(random::random(), random::random());
                place.ok().map(Input::Touch).into_iter().collect()
            }
        };
        for input in inputs {
            self.give(client, input);
        }
    }

    /// A user writes so many messages at once.
    pub fn write(&mut self, client: usize, count: usize) {
        if let Some(known) = self.clients.get_mut(&client) {
            let effects = (0..count).flat_map(|_| known.write()).collect();
            self.perform(client, effects);
        }
    }

    /// A user loads the page again. It has the newest messages, or those that it had when somebody loaded it before, and
    /// its client takes over what is not stored yet.
    fn reload(&mut self, number: usize) {
        self.close(number);
        let Some(before) = self.clients.remove(&number) else {
            return;
        };
        let (upload, secret) = (before.upload, before.secret);
        let kept = self.kept_pages.get(&upload).filter(|_| chance(50));
        let page = kept.cloned().unwrap_or_else(|| self.load(upload));
        let mut client = Client::new(number, upload, secret, page, self.now);
        let unsent = before.machine.unsent().iter();
        let unsent = unsent.filter(|it| it.delivery != Delivery::Sent).cloned();
        client.machine.restore(unsent);
        let effects = client.machine.take_effects();
        client.written = before.written;
        client.is_stalled = before.is_stalled;
        // None of those that were started before expires.
        client.timers = before.timers.map(|generation| generation + 1);
        self.clients.insert(number, client);
        self.perform(number, effects);
        self.give(number, Input::Connection(ConnectionEvent::Mounted));
    }

    /// What a page shows of an upload that is loaded now.
    pub fn load(&mut self, upload: UploadId) -> LogPage {
        let page = self.log(upload, NEWEST).unwrap_or_default();
        self.kept_pages.insert(upload, page.clone());
        page
    }

    /// The users try again what has failed.
    pub fn retry(&mut self) {
        let retries = |(number, client): (&usize, &Client)| (*number, client.retries());
        let all: Vec<_> = self.clients.iter().map(retries).collect();
        for (client, inputs) in all {
            for input in inputs {
                self.give(client, input);
            }
        }
    }
}

/// Looks at another tab, and back.
fn look_away() -> [Input; 2] {
    [ConnectionEvent::Hidden, ConnectionEvent::Visible].map(Input::Connection)
}

/// Looks away after a deletion, which is sent therefore.
fn delete_at_once(seq: Option<Seq>) -> Vec<Input> {
    seq.map(Input::Delete)
        .into_iter()
        .chain(look_away())
        .collect()
}

fn at(millis: Millis) -> Now {
    Now {
        millis,
        random: random::random(),
    }
}
