//! A simulated user: writes, deletes, tries again what has failed, and sometimes stalls.

use std::future::pending;
use std::ops::Range;
use std::time::Duration;

use app::live::connection::ConnectionEvent;
use app::live::effect::Timer;
use app::live::machine::Input;
use app::live::{Delivery, ListedMessage};
use app::model::{LogPage, Point, Seq, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval, sleep, sleep_until};

use super::driver::{ClientEvent, Driver};
use super::{Context, Phase, Progress, Role, Seen, text};
use crate::recorder::Recorder;

const REOPEN_DELAY: Duration = Duration::from_millis(500);
/// How often what has failed is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// So many messages does a user write for each that is deleted.
const MESSAGES_PER_DELETION: u32 = 30;
/// How old a message is that is deleted, at most, as a number of entries.
const MAX_DELETED_AGE: usize = 60;
/// Mean time from a stall to the next one.
const STALL_PAUSE: Duration = Duration::from_secs(5);
const STALL_SECONDS: Range<f64> = 5.0..60.0;
/// The first stall is soon, while the kernels' buffers are small. It is long enough for these to be full and for the
/// node to give up 20 s later, and short enough to read again while the node still tries to close the socket.
const FIRST_STALL_AFTER: Range<f64> = 0.5..1.5;
const FIRST_STALL_SECONDS: Range<f64> = 26.0..31.0;
/// Mean time between two breaks of the connection of somebody who stalls, most of them during a stall.
const BREAK_PAUSE: Duration = Duration::from_secs(20);
/// The first one is after the first stall.
const FIRST_BREAK_AFTER: Range<f64> = 32.0..60.0;

/// Opens the page and uses it until the run is over. Returns what is listed then, unless the page could not even be
/// opened.
pub async fn live(role: Role, context: Context, progress: watch::Sender<Progress>) -> Option<Seen> {
    let mut phase = context.phase.clone();
    let over = async { phase.wait_for(|phase| *phase == Phase::Over).await.is_ok() };
    tokio::pin!(over);
    let page = tokio::select! {
        page = open(&role, &context) => page,
        _ = &mut over => return None,
    };
    let (mut user, events) = User::new(role, page, &context, progress);
    tokio::select! {
        () = user.run(events, context.phase) => {}
        _ = over => {}
    }
    Some(user.driver.into_seen())
}

async fn open(role: &Role, context: &Context) -> LogPage {
    loop {
        if let Ok(page) = context.api.newest(role.upload).await {
            return page;
        }
        sleep(REOPEN_DELAY).await;
    }
}

struct User {
    role: Role,
    driver: Driver,
    recorder: Recorder,
    is_stalled: watch::Sender<bool>,
    rng: StdRng,
    written: u64,
    stall_seconds: Range<f64>,
    next: Vec<(Action, Instant)>,
}

/// What a user does at random times.
#[derive(Debug, Clone, Copy)]
enum Action {
    Write,
    Delete,
    /// Stops reading, or reads again.
    Stall,
    /// The connection breaks.
    Break,
}

impl User {
    fn new(
        role: Role,
        page: LogPage,
        context: &Context,
        progress: watch::Sender<Progress>,
    ) -> (Self, mpsc::Receiver<ClientEvent>) {
        let now = Instant::now();
        let mut rng = StdRng::seed_from_u64(role.seed.wrapping_add(1));
        let mut next: Vec<_> = [Action::Write, Action::Delete]
            .map(|action| (action, now + around(&mut rng, action.pause())))
            .into();
        if role.stalls {
            let firsts = [
                (Action::Stall, FIRST_STALL_AFTER),
                (Action::Break, FIRST_BREAK_AFTER),
            ];
            next.extend(firsts.map(|(action, after)| (action, now + seconds(&mut rng, after))));
        }
        let (is_stalled, stall) = watch::channel(false);
        let stall = role.stalls.then_some(stall);
        let (driver, events) = Driver::start(role.clone(), page, context.clone(), progress, stall);
        let user = Self {
            role,
            driver,
            recorder: context.recorder.clone(),
            is_stalled,
            rng,
            written: 0,
            stall_seconds: FIRST_STALL_SECONDS,
            next,
        };
        (user, events)
    }

    async fn run(
        &mut self,
        mut events: mpsc::Receiver<ClientEvent>,
        mut phase: watch::Receiver<Phase>,
    ) {
        let mut retries = interval(RETRY_INTERVAL);
        loop {
            let timer = self.driver.next_timer();
            let moments = self.next.iter().map(|(_, at)| *at);
            let action = moments.min().unwrap_or_else(Instant::now);
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.driver.on_event(event),
                    None => return,
                },
                timer = expired(timer) => self.driver.on_timer(timer),
                _ = retries.tick() => {
                    for input in self.driver.failed() {
                        self.driver.handle(input);
                    }
                }
                () = sleep_until(action) => self.act(*phase.borrow() == Phase::Writing),
                changed = phase.changed() => match changed {
                    Ok(()) => self.on_phase(),
                    Err(_) => return,
                },
            }
        }
    }

    /// Reads again, and looks at another tab and back, so that deletions are sent that could still be undone.
    fn on_phase(&mut self) {
        self.is_stalled.send_replace(false);
        for event in [ConnectionEvent::Hidden, ConnectionEvent::Visible] {
            self.driver.handle(Input::Connection(event));
        }
    }

    /// Does what is due, unless it is quiet, and chooses when to do it again.
    fn act(&mut self, is_writing: bool) {
        let now = Instant::now();
        for place in 0..self.next.len() {
            let (action, at) = self.next[place];
            if at > now {
                continue;
            }
            let mut pause = around(&mut self.rng, action.pause());
            match action {
                _ if !is_writing => {}
                Action::Write => self.write(),
                Action::Delete => self.delete(),
                Action::Stall => pause = self.stall(pause),
                Action::Break => self.driver.break_connection(),
            }
            self.next[place].1 = now + pause;
        }
    }

    fn write(&mut self) {
        self.written += 1;
        let place = Point::new(self.rng.random(), self.rng.random());
        let has_place = self.rng.random_bool(0.5);
        let author = &self.role.name;
        let name = format!("{author}-{}", self.written);
        let text = text::random_text(&name, self.role.writes_long, &mut self.rng);
        self.driver.send(ListedMessage {
            key: name.parse().expect("clients are named like messages"),
            seq: Seq::ZERO,
            author_name: author.parse().expect("clients are named like people"),
            content: text.parse().expect("there is something to see in it"),
            created_at: Timestamp::EPOCH,
            author: Some(self.role.secret.tag(self.role.upload)),
            at: place.ok().filter(|_| has_place),
            pin: None,
            mine: true,
            delivery: Delivery::Sending,
        });
    }

    /// Deletes one of the newest messages: of its own, or as the owner of anybody's.
    fn delete(&mut self) {
        let newest = self.driver.listed().iter().rev().take(MAX_DELETED_AGE);
        let messages = newest.filter_map(|entry| Some((entry.id, entry.message.as_ref()?)));
        let deletable = messages.filter(|(_, message)| message.mine || self.role.is_owner);
        let deletable: Vec<_> = deletable.collect();
        if deletable.is_empty() {
            return;
        }
        let (id, message) = deletable[self.rng.random_range(0..deletable.len())];
        let (seq, key) = (message.seq, message.key.clone());
        self.recorder.on_delete(self.role.upload, (seq, id), key);
        self.driver.handle(Input::Delete(seq));
    }

    /// Stops reading, or reads again for this time; for how long.
    fn stall(&mut self, pause: Duration) -> Duration {
        if self.is_stalled.send_replace(false) {
            return pause;
        }
        self.is_stalled.send_replace(true);
        self.recorder.count("stall of a viewer", 1);
        let stall = std::mem::replace(&mut self.stall_seconds, STALL_SECONDS);
        seconds(&mut self.rng, stall)
    }
}

impl Action {
    /// Mean time between two.
    fn pause(self) -> Duration {
        match self {
            Self::Write => Role::PACE,
            Self::Delete => Role::PACE * MESSAGES_PER_DELETION,
            Self::Stall => STALL_PAUSE,
            Self::Break => BREAK_PAUSE,
        }
    }
}

fn seconds(rng: &mut StdRng, range: Range<f64>) -> Duration {
    Duration::from_secs_f64(rng.random_range(range))
}

/// A random time around the mean.
fn around(rng: &mut StdRng, mean: Duration) -> Duration {
    mean.mul_f64(rng.random_range(0.1..1.9))
}

async fn expired(timer: Option<(Instant, Timer)>) -> Timer {
    match timer {
        Some((at, timer)) => {
            sleep_until(at).await;
            timer
        }
        None => pending().await,
    }
}
