//! Drives the browser's state machine: carries out its effects, and passes it what happens.

use app::live::connection::ConnectionEvent;
use app::live::effect::{Effect, Now, Timer};
use app::live::machine::{Input, Machine};
use app::live::{Connection, Delivery, ListedMessage};
use app::model::{LogPage, MessageId, Seq, Viewer};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, Instant};

use super::protocol::ProtocolCheck;
use super::socket::{Socket, SocketEvent, Stall};
use super::{Context, Progress, Role, Transcript};
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
    transcript: Transcript,
    protocol: ProtocolCheck,
    /// Deletions that are not answered yet.
    deleting: usize,
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
        let machine = Machine::new(role.upload, page, tab, viewer);
        let mut driver = Self {
            transcript: Transcript::default(),
            rng: StdRng::seed_from_u64(role.seed),
            started: Instant::now(),
            role,
            machine,
            context,
            progress,
            stall,
            events,
            socket: None,
            sockets: 0,
            timers: Vec::new(),
            protocol: ProtocolCheck::default(),
            deleting: 0,
        };
        let (first, listed) = driver.machine.listed();
        driver.transcript.record(first, listed);
        driver.handle(Input::Connection(ConnectionEvent::Mounted));
        (driver, receiver)
    }

    /// Handles an event; those of a socket that has been replaced are ignored.
    pub fn on_event(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Answer(input) => {
                self.deleting -= usize::from(matches!(input, Input::DeleteAnswered(..)));
                self.handle(input);
            }
            ClientEvent::Socket(number, event)
                if number == self.sockets && self.socket.is_some() =>
            {
                let input = self.on_socket_event(event);
                self.handle(input);
            }
            ClientEvent::Socket(..) => {}
        }
    }

    fn on_socket_event(&mut self, event: SocketEvent) -> Input {
        match event {
            SocketEvent::Opened => Input::Connection(ConnectionEvent::Opened),
            SocketEvent::Frame(event) => {
                let error = event
                    .as_ref()
                    .and_then(|event| self.protocol.on_event(event));
                if let Some(error) = error {
                    let violation = format!("{}: {error}", self.role.name);
                    self.context.recorder.violation(violation);
                }
                Input::Frame(event)
            }
            SocketEvent::Closed(code) => {
                let closed = format!("socket closed with {code}");
                self.context.recorder.count(closed, 1);
                Input::Connection(ConnectionEvent::Closed(code))
            }
        }
    }

    pub fn handle(&mut self, input: Input) {
        let now = self.now();
        self.machine.handle(input, now);
        self.after_change();
    }

    /// Sends a message. When too many are unsent it is dropped: a composer would keep its text.
    pub fn send(&mut self, entry: ListedMessage) {
        let key = entry.key.clone();
        if self.machine.send(entry) {
            self.transcript.written.push(key);
        }
        self.after_change();
    }

    /// The client's own messages that are not listed with the others yet.
    pub fn unsent(&self) -> Vec<ListedMessage> {
        self.machine.unsent().to_vec()
    }

    /// The listed messages.
    pub fn listed(&self) -> impl DoubleEndedIterator<Item = &ListedMessage> {
        let (_, listed) = self.machine.listed();
        listed.iter().filter_map(|it| it.message.as_ref())
    }

    /// Deletes what could still be undone, as when the tab is hidden for a moment.
    pub fn look_away(&mut self) {
        self.handle(Input::Connection(ConnectionEvent::Hidden));
        self.handle(Input::Connection(ConnectionEvent::Visible));
    }

    /// Loads what the client skipped when it had missed too much.
    pub fn load_skipped(&mut self) {
        let (first, _) = self.machine.listed();
        if self.transcript.is_missing_before(first) {
            self.handle(Input::LoadOlder);
        }
    }

    /// The timer that expires first, and when.
    pub fn next_timer(&self) -> Option<(Instant, Timer)> {
        self.timers.iter().copied().min_by_key(|(at, _)| *at)
    }

    pub fn on_timer(&mut self, timer: Timer) {
        self.stop_timer(timer);
        self.handle(Input::Timer(timer));
    }

    pub fn into_transcript(self) -> Transcript {
        self.transcript
    }

    fn now(&mut self) -> Now {
        let millis = self.started.elapsed().as_millis();
        Now {
            millis: u64::try_from(millis).unwrap_or(u64::MAX),
            random: self.rng.random(),
        }
    }

    fn after_change(&mut self) {
        self.record();
        for effect in self.machine.take_effects() {
            self.perform(effect);
        }
    }

    fn record(&mut self) {
        let changes = self.machine.take_changes();
        if changes.ripples {
            self.finish_ripples();
        }
        if changes.restarted {
            self.on_restarted();
        }
        let (first, listed) = self.machine.listed();
        if changes.entries {
            let new = self.transcript.record(first, listed);
            let newest = &listed[listed.len() - new..];
            // A client that stalls causes its delays itself.
            let newest = newest.iter().filter_map(|it| it.message.as_ref());
            for entry in newest.filter(|it| !it.mine && !self.role.stalls) {
                self.context.recorder.on_listed(&entry.key);
            }
        }
        let is_not_deleted =
            |it: &&ListedMessage| matches!(it.delivery, Delivery::NotDeleted { .. });
        let not_deleted = self.listed().filter(is_not_deleted).count();
        let (first, listed) = self.machine.listed();
        self.progress.send_replace(Progress {
            cursor: Seq::new(first.get() - 1 + listed.len() as u64),
            unsent: self.machine.unsent().len() + self.deleting + not_deleted,
            is_live: !self.transcript.is_missing_before(first)
                && matches!(
                    self.machine.connection(),
                    Connection::Live | Connection::CaughtUp { .. }
                ),
        });
    }

    fn on_restarted(&mut self) {
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
        self.transcript.restart();
    }

    fn finish_ripples(&mut self) {
        let ripples = self.machine.ripples().iter();
        let ripples: Vec<_> = ripples.map(|ripple| (ripple.id, ripple.by.mine)).collect();
        let others = ripples.iter().filter(|(_, mine)| !mine).count();
        self.context
            .recorder
            .count("ripple of another client", others);
        let now = self.now();
        for (id, _) in ripples {
            // The ripple, then its dot.
            self.machine.handle(Input::EndRipple(id), now);
            self.machine.handle(Input::EndRipple(id), now);
        }
    }

    fn perform(&mut self, effect: Effect) {
        let upload = self.role.upload;
        let Context { api, recorder, .. } = self.context.clone();
        match effect {
            Effect::Connect => self.connect(),
            Effect::Disconnect | Effect::Release => self.socket = None,
            Effect::Send(command) => {
                self.protocol.on_command(&command);
                if let Some(socket) = &self.socket {
                    socket.send(&command);
                }
            }
            Effect::Delete(seq, id) => self.delete(seq, id),
            Effect::FetchFrom(seq) => self.call(async move {
                let before = seq.previous();
                let answer = api.after(upload, before).await;
                recorder.on_fetched(before, &answer);
                Input::Fetched(answer)
            }),
            Effect::FetchNewest => {
                recorder.count("skip to the newest messages", 1);
                self.call(async move { Input::FetchedNewest(api.newest(upload).await) });
            }
            Effect::FetchUpTo(seq) => {
                self.call(async move { Input::FetchedOlder(api.up_to(upload, seq).await) });
            }
            // The answer counts even when the client has left by then.
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
        let said = self.transcript.said(seq, id);
        let key = said.expect("what it deletes was listed").key.clone();
        let (upload, secret) = (self.role.upload, self.role.secret.clone());
        let Context {
            api,
            recorder,
            restores,
            ..
        } = self.context.clone();
        recorder.on_delete(upload, (seq, id), key);
        self.deleting += 1;
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
        self.protocol = ProtocolCheck::default();
        if self.sockets > 1 {
            self.context.recorder.count("reconnect", 1);
        }
        let node = self.context.api.choose_node();
        let (events, stall) = (self.events.clone(), self.stall.clone());
        self.socket = Some(Socket::open(node, self.sockets, events, stall));
    }

    fn call(&self, input: impl Future<Output = Input> + Send + 'static) {
        let events = self.events.clone();
        tokio::spawn(async move {
            let answer = ClientEvent::Answer(input.await);
            // A client that has left needs no answer.
            let _ = events.send(answer).await;
        });
    }
}
