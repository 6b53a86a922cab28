//! Drives the browser's state machine: carries out its effects, and passes it what happens.

use app::live::connection::ConnectionEvent;
use app::live::effect::{Effect, Now, Timer};
use app::live::machine::{Input, Machine};
use app::live::{Connection, Delivery, ListedEntry, ListedMessage};
use app::model::{LogPage, MessageId, Seq, Viewer};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, Instant};

use super::socket::{ABNORMAL, Socket, SocketEvent, Stall};
use super::{Context, Progress, Role, Seen};
use crate::restores;

/// Events that may wait for a client; its socket is not read when there are more.
const MAX_EVENTS: usize = 256;

/// An input from outside.
#[derive(Debug)]
pub enum ClientEvent {
    /// From the socket of this number.
    Socket(u64, SocketEvent),
    /// The answer to a call.
    Answer(Input),
}

/// A running state machine.
pub struct Driver {
    role: Role,
    machine: Machine,
    context: Context,
    progress: watch::Sender<Progress>,
    stall: Stall,
    rng: StdRng,
    started: Instant,
    events: mpsc::Sender<ClientEvent>,
    socket: Option<Socket>,
    sockets: u64,
    timers: Vec<(Instant, Timer)>,
    /// Calls that are not answered yet.
    calls: usize,
}

impl Driver {
    /// Starts with the messages of the page; events come through the receiver.
    pub fn start(
        role: Role,
        page: LogPage,
        context: Context,
        progress: watch::Sender<Progress>,
        stall: Stall,
    ) -> (Self, mpsc::Receiver<ClientEvent>) {
        let (events, receiver) = mpsc::channel(MAX_EVENTS);
        let tab = role.name.parse().expect("clients are named like tabs");
        let viewer = Viewer {
            author: Some(role.secret.tag(role.upload)),
            name: role.name.parse().ok(),
        };
        let mut driver = Self {
            rng: StdRng::seed_from_u64(role.seed),
            started: Instant::now(),
            machine: Machine::new(role.upload, page, tab, viewer),
            role,
            context,
            progress,
            stall,
            events,
            socket: None,
            sockets: 0,
            timers: Vec::new(),
            calls: 0,
        };
        driver.handle(Input::Connection(ConnectionEvent::Mounted));
        (driver, receiver)
    }

    /// Handles an event; those of a socket that has been replaced are ignored.
    pub fn on_event(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Answer(input) => {
                self.calls -= 1;
                self.handle(input);
            }
            ClientEvent::Socket(number, event)
                if number == self.sockets && self.socket.is_some() =>
            {
                self.handle(match event {
                    SocketEvent::Opened => Input::Connection(ConnectionEvent::Opened),
                    SocketEvent::Frame(event) => Input::Frame(event),
                    SocketEvent::Closed(code) => {
                        let closed = format!("socket closed with {code}");
                        self.context.recorder.count(closed, 1);
                        Input::Connection(ConnectionEvent::Closed(code))
                    }
                });
            }
            ClientEvent::Socket(..) => {}
        }
    }

    pub fn handle(&mut self, input: Input) {
        let cursor = self.cursor();
        let now = self.now();
        self.machine.handle(input, now);
        self.after_change(cursor);
    }

    /// Sends a message. When too many are unsent it is dropped: a composer would keep its text.
    pub fn send(&mut self, entry: ListedMessage) {
        self.machine.send(entry);
        self.after_change(self.cursor());
    }

    /// The connection breaks, without a close frame.
    pub fn break_connection(&mut self) {
        if self.socket.take().is_some() {
            self.handle(Input::Connection(ConnectionEvent::Closed(ABNORMAL)));
        }
    }

    /// The listed entries.
    pub fn listed(&self) -> &[ListedEntry] {
        self.machine.listed().1
    }

    /// What a user tries again: messages that were not sent, and deletions that have failed.
    pub fn failed(&self) -> Vec<Input> {
        let failed = |message: &ListedMessage| match message.delivery {
            Delivery::Failed { retry: true, .. } => Some(Input::Retry(message.key.clone())),
            Delivery::NotDeleted { .. } => Some(Input::Delete(message.seq)),
            _ => None,
        };
        let listed = self.listed().iter().filter_map(|it| it.message.as_ref());
        let all = listed.chain(self.machine.unsent());
        all.filter_map(failed).collect()
    }

    /// The timer that expires first, and when.
    pub fn next_timer(&self) -> Option<(Instant, Timer)> {
        self.timers.iter().copied().min_by_key(|(at, _)| *at)
    }

    pub fn on_timer(&mut self, timer: Timer) {
        self.stop_timer(timer);
        self.handle(Input::Timer(timer));
    }

    pub fn into_seen(self) -> Seen {
        let (first, listed) = self.machine.listed();
        Seen {
            first,
            listed: listed.to_vec(),
            name: self.role.name,
            upload: self.role.upload,
        }
    }

    fn cursor(&self) -> Seq {
        let (first, listed) = self.machine.listed();
        Seq::new(first.get() - 1 + listed.len() as u64)
    }

    fn now(&mut self) -> Now {
        let millis = self.started.elapsed().as_millis();
        Now {
            millis: u64::try_from(millis).unwrap_or(u64::MAX),
            random: self.rng.random(),
        }
    }

    /// `before`: the last number that was listed before the change.
    fn after_change(&mut self, before: Seq) {
        let changes = self.machine.take_changes();
        if changes.restarted {
            self.on_restarted();
        }
        let Context { recorder, .. } = &self.context;
        let listed = self.listed().iter().rev();
        let listed = listed.filter_map(|it| it.message.as_ref());
        let new = listed.take_while(|message| message.seq > before);
        // A client that stalls causes its delays itself.
        for message in new.filter(|it| !it.mine && !self.role.stalls) {
            recorder.on_listed(&message.key);
        }
        for effect in self.machine.take_effects() {
            self.perform(effect);
        }
        self.progress.send_replace(Progress {
            cursor: self.cursor(),
            unsent: self.machine.unsent().len() + self.calls + self.failed().len(),
            is_live: matches!(
                self.machine.connection(),
                Connection::Live | Connection::CaughtUp { .. }
            ),
        });
    }

    fn on_restarted(&self) {
        let Context {
            recorder, restores, ..
        } = &self.context;
        recorder.count("list started anew", 1);
        if !restores.is_restored() {
            let name = &self.role.name;
            recorder.violation(format!(
                "{name} started its list anew, although the store was not restored"
            ));
        }
    }

    fn perform(&mut self, effect: Effect) {
        let upload = self.role.upload;
        let Context { api, recorder, .. } = self.context.clone();
        match effect {
            Effect::Connect => self.connect(),
            Effect::Disconnect | Effect::Release => self.socket = None,
            Effect::Send(command) => {
                if let Some(socket) = &self.socket {
                    socket.send(&command);
                }
            }
            Effect::Delete(seq, id) => self.delete(seq, id),
            Effect::FetchFrom(seq) => {
                let before = seq.previous();
                self.call(async move { Input::Fetched(api.after(upload, before).await) });
            }
            Effect::FetchNewest => {
                recorder.count("skip to the newest messages", 1);
                self.call(async move { Input::FetchedNewest(api.newest(upload).await) });
            }
            Effect::FetchUpTo(seq) => {
                self.call(async move { Input::FetchedOlder(api.up_to(upload, seq).await) });
            }
            Effect::Post(new) => {
                let secret = self.role.secret.clone();
                self.call(async move {
                    recorder.on_post(&new.client_message_id);
                    let answer = api.post(upload, &new, Some(&secret)).await;
                    recorder.on_answer(&new, &answer);
                    Input::PostAnswered(new.client_message_id, answer)
                });
            }
            Effect::Start(timer, millis) => {
                self.stop_timer(timer);
                let after = Duration::from_millis(millis.into());
                self.timers.push((Instant::now() + after, timer));
            }
            Effect::Stop(timer) => self.stop_timer(timer),
        }
    }

    fn delete(&mut self, seq: Seq, id: MessageId) {
        let (upload, secret) = (self.role.upload, self.role.secret.clone());
        let Context {
            api,
            recorder,
            restores,
            ..
        } = self.context.clone();
        self.call(async move {
            let asked = restores::now();
            let answer = api.delete_message(upload, (seq, id), &secret).await;
            let times = [asked, restores::now()];
            recorder.on_deleted(id, times, &answer, restores.is_restored());
            Input::DeleteAnswered(seq, answer)
        });
    }

    fn stop_timer(&mut self, timer: Timer) {
        self.timers.retain(|(_, other)| *other != timer);
    }

    fn connect(&mut self) {
        // The old one is closed before the new one is opened.
        self.socket = None;
        self.sockets += 1;
        if self.sockets > 1 {
            self.context.recorder.count("reconnect", 1);
        }
        let node = self.context.api.choose_node();
        let (events, stall) = (self.events.clone(), self.stall.clone());
        self.socket = Some(Socket::open(node, self.sockets, events, stall));
    }

    /// The answer counts for the recorder even when the run is over by then.
    fn call(&mut self, input: impl Future<Output = Input> + Send + 'static) {
        self.calls += 1;
        let events = self.events.clone();
        tokio::spawn(async move {
            let answer = ClientEvent::Answer(input.await);
            // A client that has left needs no answer.
            let _ = events.send(answer).await;
        });
    }
}
