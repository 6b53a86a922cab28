//! The shell around the browser's state machine: it does what the machine asks, and tells it what happens.

use std::time::{SystemTime, UNIX_EPOCH};

use app::live::effect::{Effect, Now, Timer};
use app::live::line::LineEvent;
use app::live::machine::{Input, Machine};
use app::live::{Connection, Entry};
use app::model::{MessagePage, NewMessage, Seq};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant};

use super::socket::{Slowness, Socket, SocketEvent};
use super::stream::Stream;
use super::{Api, Gauge, Role, Standing, Transcript};
use crate::ledger::Ledger;

/// What may wait for a client to look at it; a socket that has more to tell is not read meanwhile.
const MOST_HAPPENINGS: usize = 256;

/// What comes from outside.
#[derive(Debug)]
pub enum Happening {
    /// From the socket of this number.
    Socket(u64, SocketEvent),
    /// The answer to a call.
    Answer(Input),
}

/// A machine that runs.
pub struct Shell {
    role: Role,
    machine: Machine,
    api: Api,
    ledger: Ledger,
    gauge: Gauge,
    slowness: Slowness,
    chance: StdRng,
    tell: mpsc::Sender<Happening>,
    socket: Option<Socket>,
    sockets: u64,
    timers: [Option<Instant>; Timer::COUNT],
    transcript: Transcript,
    stream: Stream,
}

impl Shell {
    /// Starts with the messages of the page; what happens comes through the receiver.
    pub fn start(
        role: Role,
        page: MessagePage,
        api: Api,
        ledger: Ledger,
        gauge: Gauge,
        slowness: Slowness,
    ) -> (Self, mpsc::Receiver<Happening>) {
        let (tell, happenings) = mpsc::channel(MOST_HAPPENINGS);
        let tab = role.name.parse().expect("clients are named like tabs");
        let machine = Machine::new(role.upload, page, tab);
        let (first, listed) = machine.listed();
        let mut shell = Self {
            transcript: Transcript::new(first, listed),
            chance: StdRng::seed_from_u64(role.seed),
            role,
            machine,
            api,
            ledger,
            gauge,
            slowness,
            tell,
            socket: None,
            sockets: 0,
            timers: [None; Timer::COUNT],
            stream: Stream::default(),
        };
        shell.take(Input::Line(LineEvent::Start));
        (shell, happenings)
    }

    /// Takes what happened; what is told of a socket that is not the newest is not heard.
    pub fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Answer(input) => self.take(input),
            Happening::Socket(number, event) if number == self.sockets && self.socket.is_some() => {
                let input = self.hear(event);
                self.take(input);
            }
            Happening::Socket(..) => {}
        }
    }

    fn hear(&mut self, event: SocketEvent) -> Input {
        match event {
            SocketEvent::Opened => Input::Line(LineEvent::Opened),
            SocketEvent::Frame(event) => {
                if let Some(fault) = event.as_ref().and_then(|event| self.stream.judge(event)) {
                    self.ledger.blame(format!("{}: {fault}", self.role.name));
                }
                Input::Frame(event)
            }
            SocketEvent::Closed(code) => {
                self.ledger.closed(code);
                Input::Line(LineEvent::Closed(code))
            }
        }
    }

    /// Gives the machine something to decide.
    pub fn take(&mut self, input: Input) {
        let now = self.now();
        self.machine.handle(input, now);
        self.carry_out();
    }

    /// Sends a message; false when too many are unsent.
    pub fn send(&mut self, entry: Entry) -> bool {
        let taken = self.machine.send(entry);
        self.carry_out();
        taken
    }

    /// What is listed, and one's own messages that are not listed with the others yet.
    pub fn unsent(&self) -> Vec<Entry> {
        let listed = self.machine.listed().1.len();
        self.machine.entries().split_off(listed)
    }

    /// The timer that runs out first, and when.
    pub fn next_timer(&self) -> Option<(Instant, Timer)> {
        let timers = TIMERS.into_iter();
        let running = timers.filter_map(|timer| Some((self.timers[timer as usize]?, timer)));
        running.min_by_key(|(at, _)| *at)
    }

    /// That timer ran out.
    pub fn run_out(&mut self, timer: Timer) {
        self.timers[timer as usize] = None;
        self.take(Input::Line(LineEvent::Timer(timer)));
    }

    /// What was listed until now.
    pub fn into_transcript(self) -> Transcript {
        self.transcript
    }

    fn now(&mut self) -> Now {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.unwrap_or_default().as_millis();
        Now {
            millis: u64::try_from(millis).unwrap_or(u64::MAX),
            random: self.chance.random(),
        }
    }

    fn carry_out(&mut self) {
        self.show();
        for effect in self.machine.take_effects() {
            self.perform(effect);
        }
    }

    fn show(&mut self) {
        let (entries_changed, ripples_changed) = self.machine.take_changes();
        if ripples_changed {
            self.finish_ripples();
        }
        let (first, listed) = self.machine.listed();
        if entries_changed {
            let new = self.transcript.record(first, listed);
            let newest = &listed[listed.len() - new..];
            // The delay of a client that stalls is its own doing.
            let others = newest
                .iter()
                .filter(|entry| !entry.mine && !self.role.stalls);
            for entry in others {
                self.ledger.shown(&entry.key);
            }
        }
        self.gauge.write(Standing {
            cursor: Seq::new(first.get() - 1 + listed.len() as u64),
            unsent: self.machine.entries().len() - listed.len(),
            is_live: matches!(
                self.machine.connection(),
                Connection::Live | Connection::CaughtUp { .. }
            ),
        });
    }

    /// Ripples fade at once here.
    fn finish_ripples(&mut self) {
        let ids: Vec<_> = self
            .machine
            .ripples()
            .iter()
            .map(|ripple| (ripple.id, ripple.mine))
            .collect();
        self.ledger
            .ripples(ids.iter().filter(|(_, mine)| !mine).count());
        let now = self.now();
        for (id, _) in ids {
            self.machine.handle(Input::FinishRipple(id), now);
        }
    }

    fn perform(&mut self, effect: Effect) {
        let upload = self.role.upload;
        match effect {
            Effect::Connect => self.connect(),
            Effect::Disconnect => self.socket = None,
            Effect::Send(command) => {
                self.stream.told(&command);
                if let Some(socket) = &self.socket {
                    socket.tell(&command);
                }
            }
            Effect::FetchAfter(seq) => {
                let (api, ledger) = (self.api.clone(), self.ledger.clone());
                self.later(async move {
                    let answer = api.after(upload, seq).await;
                    ledger.fetched(seq, &answer);
                    Input::Fetched(answer)
                });
            }
            Effect::FetchBefore(seq) => {
                let api = self.api.clone();
                self.later(async move { Input::FetchedOlder(api.before(upload, seq).await) });
            }
            Effect::Post(new) => self.post(new),
            Effect::Remember(_) => {}
            Effect::Start(timer, millis) => {
                let after = Duration::from_millis(millis.into());
                self.timers[timer as usize] = Some(Instant::now() + after);
            }
            Effect::Stop(timer) => self.timers[timer as usize] = None,
        }
    }

    fn connect(&mut self) {
        // The old one is closed before the new one is opened.
        self.socket = None;
        self.sockets += 1;
        self.stream = Stream::default();
        self.ledger.connecting(self.sockets > 1);
        let node = self.api.balancer().choose();
        let socket = Socket::open(node, self.sockets, self.tell.clone(), self.slowness.clone());
        self.socket = Some(socket);
    }

    /// What is posted is counted even when the writer has left by the time of the answer.
    fn post(&self, new: NewMessage) {
        let (upload, api, ledger) = (self.role.upload, self.api.clone(), self.ledger.clone());
        self.later(async move {
            ledger.posting(&new.client_message_id);
            let answer = api.post(upload, &new).await;
            ledger.answered(&new, &answer);
            Input::Answered(new.client_message_id, answer)
        });
    }

    fn later(&self, input: impl Future<Output = Input> + Send + 'static) {
        let tell = self.tell.clone();
        tokio::spawn(async move {
            let answer = Happening::Answer(input.await);
            // A client that has left needs no answer.
            let _ = tell.send(answer).await;
        });
    }
}

const TIMERS: [Timer; Timer::COUNT] = [
    Timer::Reconnect,
    Timer::Deadline,
    Timer::Silence,
    Timer::Poll,
    Timer::Refetch,
    Timer::Settle,
];
