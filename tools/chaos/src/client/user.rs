//! A simulated user: writes, deletes, taps, retries failed messages, and sometimes stalls.

use std::future::pending;
use std::ops::Range;
use std::time::Duration;

use app::live::effect::Timer;
use app::live::machine::Input;
use app::live::{Delivery, ListedMessage};
use app::model::{LogPage, Point, Seq, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval, sleep, sleep_until};

use super::driver::{ClientEvent, Driver};
use super::{Context, Deletes, Phase, Progress, Role, text};
use crate::check::Seen;
use crate::recorder::Recorder;

const REOPEN_DELAY: Duration = Duration::from_millis(500);
/// How often failed messages are retried.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// So many messages does a user write for each that is deleted.
const MESSAGES_PER_DELETION: u32 = 30;
/// How old a message is that is deleted, at most, as a number of messages.
const MAX_DELETED_AGE: usize = 60;
/// How often one failed deletion is retried.
const DELETE_RETRY_INTERVAL: Duration = Duration::from_secs(2);
/// Mean time between two taps.
const TAP_PAUSE: Duration = Duration::from_secs(7);
/// Mean time between two stalls.
const STALL_PAUSE: Duration = Duration::from_secs(5);
const STALL_SECONDS: Range<f64> = 5.0..60.0;
/// The first stall is soon, while the kernels' buffers are small. It is long enough for these to be full and for the
/// node to give up 20 s later, and short enough to read again while the node still tries to close the socket.
const FIRST_STALL_AFTER: Range<f64> = 0.5..1.5;
const FIRST_STALL_SECONDS: Range<f64> = 26.0..31.0;

/// Opens the page and uses it until the run is over or `leave` resolves. Returns what was listed, unless the page could
/// not even be opened.
pub async fn live(
    role: Role,
    context: Context,
    progress: watch::Sender<Progress>,
    leave: impl Future<Output = ()>,
) -> Option<Seen> {
    let mut phase = context.phase.clone();
    let gone = async {
        tokio::select! {
            () = leave => {}
            _ = phase.wait_for(|phase| *phase == Phase::Over) => {}
        }
    };
    tokio::pin!(gone);
    let page = tokio::select! {
        page = open(&role, &context) => page,
        () = &mut gone => return None,
    };
    let (mut user, events) = User::new(role, page, &context, progress);
    tokio::select! {
        () = user.run(events, context.phase) => {}
        () = gone => {}
    }
    let Role {
        name,
        upload,
        stays,
        ..
    } = user.role;
    Some(Seen {
        name,
        upload,
        transcript: user.driver.into_transcript(),
        stayed: stays,
    })
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
    read_from: watch::Sender<Instant>,
    rng: StdRng,
    written: u64,
    stall_seconds: Range<f64>,
    next: [(Action, Instant); 4],
}

/// What a user does at random times.
#[derive(Debug, Clone, Copy)]
enum Action {
    Write,
    /// Deletes a message.
    Delete,
    /// Taps the picture, and loads older messages.
    Tap,
    Stall,
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
        let next = [
            (Action::Write, now + around(&mut rng, role.pace)),
            (
                Action::Delete,
                now + around(&mut rng, role.pace * MESSAGES_PER_DELETION),
            ),
            (Action::Tap, now + around(&mut rng, TAP_PAUSE)),
            (Action::Stall, now + seconds(&mut rng, FIRST_STALL_AFTER)),
        ];
        let (read_from, stall) = watch::channel(now);
        let stall = role.stalls.then_some(stall);
        let (driver, events) = Driver::start(role.clone(), page, context.clone(), progress, stall);
        let user = Self {
            role,
            driver,
            recorder: context.recorder.clone(),
            read_from,
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
        let mut delete_retries = interval(DELETE_RETRY_INTERVAL);
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
                    self.retry();
                    self.driver.load_skipped();
                }
                _ = delete_retries.tick() => self.retry_deletion(),
                () = sleep_until(action) => self.act(*phase.borrow() == Phase::Writing),
                changed = phase.changed() => match changed {
                    Ok(()) => {
                        self.end_stall();
                        self.driver.look_away();
                    }
                    Err(_) => return,
                },
            }
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
            let mean = match action {
                Action::Write => self.role.pace,
                Action::Delete => self.role.pace * MESSAGES_PER_DELETION,
                Action::Tap => TAP_PAUSE,
                Action::Stall => STALL_PAUSE,
            };
            let mut pause = around(&mut self.rng, mean);
            match action {
                _ if !is_writing => {}
                Action::Write => self.write(),
                Action::Delete => self.delete(),
                Action::Tap => self.tap(),
                Action::Stall => pause += self.stall(),
            }
            self.next[place].1 = now + pause;
        }
    }

    fn write(&mut self) {
        self.written += 1;
        let place = self.some_point();
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
            at: has_place.then_some(place),
            pin: None,
            mine: true,
            delivery: Delivery::Sending,
        });
    }

    /// Deletes one of the newest messages: of its own, or as the owner of anybody's.
    fn delete(&mut self) {
        let may_delete = |entry: &&ListedMessage| entry.mine || self.role.deletes == Deletes::All;
        let newest = self.driver.listed().rev().take(MAX_DELETED_AGE);
        let deletable: Vec<_> = newest.filter(may_delete).map(|entry| entry.seq).collect();
        if !deletable.is_empty() {
            let seq = deletable[self.rng.random_range(0..deletable.len())];
            self.driver.handle(Input::Delete(seq));
        }
    }

    fn some_point(&mut self) -> Point {
        let (x, y) = (self.rng.random(), self.rng.random());
        Point::new(x, y).expect("these are fractions")
    }

    fn tap(&mut self) {
        let at = self.some_point();
        self.driver.handle(Input::Touch(at));
        self.driver.handle(Input::LoadOlder);
    }

    /// Stops reading; for how long.
    fn stall(&mut self) -> Duration {
        let pause = seconds(&mut self.rng, self.stall_seconds.clone());
        self.stall_seconds = STALL_SECONDS;
        if self.role.stalls {
            self.recorder.count("stall of a viewer", 1);
            self.read_from.send_replace(Instant::now() + pause);
        }
        pause
    }

    fn end_stall(&mut self) {
        self.read_from.send_replace(Instant::now());
    }

    fn retry_deletion(&mut self) {
        let not_deleted =
            |entry: &&ListedMessage| matches!(entry.delivery, Delivery::NotDeleted { .. });
        let not_deleted = self
            .driver
            .listed()
            .find(not_deleted)
            .map(|entry| entry.seq);
        if let Some(seq) = not_deleted {
            self.driver.handle(Input::Delete(seq));
        }
    }

    fn retry(&mut self) {
        for entry in self.driver.unsent() {
            match entry.delivery {
                Delivery::Failed { retry: true, .. } => self.driver.handle(Input::Retry(entry.key)),
                Delivery::Failed { reason, .. } => {
                    let violation = format!("{} was refused for good: {reason}", entry.key);
                    self.recorder.violation(violation);
                }
                Delivery::Sending
                | Delivery::Waiting { .. }
                | Delivery::Sent
                | Delivery::Deleted { .. }
                | Delivery::NotDeleted { .. } => {}
            }
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
