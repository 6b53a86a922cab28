//! Who sits before a client: writes, taps, tries failed messages again, and sometimes stalls.

use std::future::pending;
use std::ops::Range;
use std::time::Duration;

use app::live::effect::Timer;
use app::live::machine::Input;
use app::live::{Delivery, Entry};
use app::model::{MessagePage, Point, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval, sleep, sleep_until};

use super::shell::{Happening, Shell};
use super::socket::Slowness;
use super::{Api, Gauge, Role, Transcript, text};
use crate::ledger::Ledger;
use crate::phase::Phase;

/// How long a person waits before a page that did not open is tried again.
const REOPEN: Duration = Duration::from_millis(500);
/// How often a person looks for messages that failed, and tries them again.
const RETRY: Duration = Duration::from_secs(1);
/// Mean time between two taps of a person.
const TAP: Duration = Duration::from_secs(7);
/// Mean time for which a client that stalls reads in between.
const READS: Duration = Duration::from_secs(5);
/// How long it stalls, in seconds.
const STALL: Range<f64> = 5.0..60.0;
/// The first time is soon, while the kernels do not hold much for the connection yet. It is long enough for that to be
/// full and for the node to lose its patience 20 s later, and short enough to read again while the node still tries to
/// close the socket.
const FIRST_STALL_AFTER: Range<f64> = 0.5..1.5;
const FIRST_STALL: Range<f64> = 26.0..31.0;

/// Opens the page, and lives with it until the run is over or `leave` resolves; what was listed meanwhile, unless the
/// page could not even be opened.
pub async fn live(
    role: Role,
    api: Api,
    ledger: Ledger,
    gauge: Gauge,
    phase: watch::Receiver<Phase>,
    leave: impl Future<Output = ()>,
) -> Option<Transcript> {
    let mut over = phase.clone();
    let gone = async {
        tokio::select! {
            () = leave => {}
            _ = over.wait_for(|phase| *phase == Phase::Over) => {}
        }
    };
    tokio::pin!(gone);
    let page = tokio::select! {
        page = open(&role, &api) => page,
        () = &mut gone => return None,
    };
    let (read_from, slowness) = slowness(&role);
    let (shell, happenings) =
        Shell::start(role.clone(), page, api, ledger.clone(), gauge, slowness);
    let mut person = Person::new(role, shell, ledger, read_from);
    tokio::select! {
        () = person.live(happenings, phase) => {}
        () = gone => {}
    }
    Some(person.shell.into_transcript())
}

async fn open(role: &Role, api: &Api) -> MessagePage {
    loop {
        if let Ok(page) = api.newest(role.upload).await {
            return page;
        }
        sleep(REOPEN).await;
    }
}

fn slowness(role: &Role) -> (watch::Sender<Instant>, Slowness) {
    let (read_from, slowness) = watch::channel(Instant::now());
    (read_from, role.stalls.then_some(slowness))
}

struct Person {
    role: Role,
    shell: Shell,
    ledger: Ledger,
    read_from: watch::Sender<Instant>,
    chance: StdRng,
    written: u64,
    stalls: Range<f64>,
    next: [(Act, Instant); 3],
}

/// What a person does on a whim.
#[derive(Debug, Clone, Copy)]
enum Act {
    Write,
    /// Taps the picture, and looks for older messages.
    Tap,
    /// Reads nothing for a while.
    Stall,
}

impl Person {
    fn new(role: Role, shell: Shell, ledger: Ledger, read_from: watch::Sender<Instant>) -> Self {
        let mut person = Self {
            chance: StdRng::seed_from_u64(role.seed.wrapping_add(1)),
            role,
            shell,
            ledger,
            read_from,
            written: 0,
            stalls: FIRST_STALL,
            next: [Act::Write, Act::Tap, Act::Stall].map(|act| (act, Instant::now())),
        };
        for place in 0..person.next.len() {
            let pause = match person.next[place].0 {
                Act::Stall => {
                    Duration::from_secs_f64(person.chance.random_range(FIRST_STALL_AFTER))
                }
                act => person.pause(act),
            };
            person.next[place].1 += pause;
        }
        person
    }

    async fn live(
        &mut self,
        mut happenings: mpsc::Receiver<Happening>,
        mut phase: watch::Receiver<Phase>,
    ) {
        let mut retries = interval(RETRY);
        loop {
            let timer = self.shell.next_timer();
            let whim = self
                .next
                .iter()
                .map(|(_, at)| *at)
                .min()
                .unwrap_or_else(Instant::now);
            tokio::select! {
                happening = happenings.recv() => match happening {
                    Some(happening) => self.shell.happen(happening),
                    None => return,
                },
                timer = ran_out(timer) => self.shell.run_out(timer),
                _ = retries.tick() => self.retry(),
                () = sleep_until(whim) => self.act(*phase.borrow() == Phase::Writing),
                changed = phase.changed() => match changed {
                    Ok(()) => self.wake(),
                    Err(_) => return,
                },
            }
        }
    }

    /// Does what is due, and chooses when to do it again. Nobody starts anything while it is quiet.
    fn act(&mut self, may: bool) {
        let now = Instant::now();
        for place in 0..self.next.len() {
            let (act, at) = self.next[place];
            if at > now {
                continue;
            }
            let mut pause = self.pause(act);
            match act {
                _ if !may => {}
                Act::Write => self.write(),
                Act::Tap => self.tap(),
                Act::Stall => pause += self.stall(),
            }
            self.next[place].1 = now + pause;
        }
    }

    /// A random time around the act's mean one.
    fn pause(&mut self, act: Act) -> Duration {
        let mean = match act {
            Act::Write => self.role.pace,
            Act::Tap => TAP,
            Act::Stall => READS,
        };
        mean.mul_f64(self.chance.random_range(0.1..1.9))
    }

    fn write(&mut self) {
        self.written += 1;
        let name = format!("{}-{}", self.role.name, self.written);
        let text = text::some(&name, self.role.writes_long, &mut self.chance);
        // When too many are unsent the composer keeps its text.
        self.shell.send(Entry {
            key: name.parse().expect("clients are named like messages"),
            author_name: self
                .role
                .name
                .parse()
                .expect("clients are named like people"),
            content: text.parse().expect("there is something to see in it"),
            created_at: Timestamp::EPOCH,
            mine: true,
            delivery: Delivery::Sending,
        });
    }

    fn tap(&mut self) {
        let (x, y) = (self.chance.random(), self.chance.random());
        let at = Point::new(x, y).expect("these are fractions");
        self.shell.take(Input::Tap(at));
        self.shell.take(Input::LoadOlder);
    }

    /// How long it will read nothing.
    fn stall(&mut self) -> Duration {
        let pause = Duration::from_secs_f64(self.chance.random_range(self.stalls.clone()));
        self.stalls = STALL;
        if self.role.stalls {
            self.ledger.stalling(pause);
            self.read_from.send_replace(Instant::now() + pause);
        }
        pause
    }

    fn wake(&mut self) {
        self.read_from.send_replace(Instant::now());
    }

    fn retry(&mut self) {
        for entry in self.shell.unsent() {
            match entry.delivery {
                Delivery::Failed { retry: true, .. } => self.shell.take(Input::Retry(entry.key)),
                Delivery::Failed { reason, .. } => {
                    self.ledger
                        .blame(format!("{} was refused for good: {reason}", entry.key));
                }
                Delivery::Sending | Delivery::Sent => {}
            }
        }
    }
}

async fn ran_out(timer: Option<(Instant, Timer)>) -> Timer {
    match timer {
        Some((at, timer)) => {
            sleep_until(at).await;
            timer
        }
        None => pending().await,
    }
}
