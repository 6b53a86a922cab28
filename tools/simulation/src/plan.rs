//! What a round consists of: who meets, what people do, and what breaks when. It is decided before the round begins, so
//! that parts of it can be left out. All the rest, such as delays and lost frames, follows from the seed.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::client::BURST;
use crate::faults::Fault;
use crate::links::{BrokerKind, BrokerLink, StoreLink};
use crate::world::NODES;

/// How many uploads there are in a round, and how many clients at each.
const UPLOADS: usize = 2;
const CLIENTS: std::ops::RangeInclusive<usize> = 2..=4;
/// People meet before anything breaks.
pub const MEETING: Millis = 10_000;
/// How long faults begin.
const STORM: std::ops::Range<Millis> = 60_000..300_000;
/// The pause between the beginnings of two faults.
const FAULT_PAUSE: std::ops::Range<Millis> = 100..10_000;
/// How long a fault lasts.
const DURATION: std::ops::Range<Millis> = 500..45_000;
/// How long somebody does nothing.
const PAUSE: std::ops::Range<Millis> = 500..15_000;
/// How many messages have been written before people meet, at every second upload.
const HISTORY: std::ops::Range<usize> = 1..120;
/// For how long people write in a storm, and for how long they only look then: nothing later shows what was lost.
const BUSY: std::ops::Range<Millis> = 15_000..60_000;
const LULL: std::ops::Range<Millis> = 15_000..35_000;
/// How soon something follows that belongs to something else: somebody regrets a message, or comes back after a fault.
const SOON: std::ops::Range<Millis> = 100..2_500;
const AT_ONCE: std::ops::Range<Millis> = 0..300;
/// For how long a client is cut off when a backup is restored, and how long a short backup lasts.
const BEFORE_RESTORE: std::ops::Range<Millis> = 100..15_000;
const SHORT_BACKUP: std::ops::Range<Millis> = 500..6_000;
/// How many messages it writes, at least.
const CUT_OFF_WRITES: usize = 3;
/// How long it is calm.
pub const CALM: Millis = 40_000;
/// When everyone has much to say: so much that it fills a socket's queue, of a client who reads nothing.
const BURSTS: [Millis; 3] = [0, 4_000, 8_000];
/// For how long nobody writes after that, in every fourth round.
const QUIET: std::ops::Range<Millis> = 600_000..3_600_000;
/// How long somebody does nothing then.
const QUIET_PAUSE: std::ops::Range<Millis> = 60_000..1_800_000;
/// For how long one client does not read then.
const STALL: std::ops::Range<Millis> = 5_000..CALM;

/// A whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Decides what is not in the plan.
    pub seed: u64,
    /// What carries frames between the nodes.
    #[serde(default)]
    pub broker: BrokerKind,
    /// One after the other.
    pub rounds: Vec<Round>,
}

/// A round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The uploads at which people meet.
    pub uploads: Vec<Meeting>,
    /// What breaks. The times are from the end of [`MEETING`] on.
    pub faults: Vec<Planned<Fault>>,
    /// What people do until all faults are over. The times are from the beginning on.
    pub acts: Vec<Planned<Act>>,
    /// What they do in the calm.
    pub calm: Vec<Planned<Act>>,
    /// Who does not read in the calm, and for how long.
    pub slow: Option<Planned<usize>>,
    /// For how long nobody writes after the calm.
    #[serde(default)]
    pub quiet: Millis,
    /// What people do meanwhile, and then.
    #[serde(default)]
    pub later: Vec<Planned<Act>>,
    /// The node whose store is slow when the uploads go.
    #[serde(default)]
    pub slow_store: Option<usize>,
    /// Whether the stores of all nodes fail for a while when what has expired is to be removed.
    #[serde(default)]
    pub stores_fail: bool,
}

/// People who meet at an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// How many there are. The first one has uploaded it.
    pub clients: usize,
    /// Whether it expires at the end of the round; otherwise its owner deletes it.
    pub expires: bool,
    /// How many messages they have written before.
    #[serde(default)]
    pub history: usize,
}

/// Something that happens at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned<T> {
    pub at: Millis,
    /// How long it lasts; nothing for acts.
    #[serde(default)]
    pub duration: Millis,
    pub what: T,
}

/// Something that a user does. Clients are numbered within the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    pub client: usize,
    pub does: Does,
}

/// What a user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Does {
    /// Writes so many messages at once.
    Write(usize),
    /// Deletes one of the own messages.
    Delete,
    /// Deletes the newest of the own messages and looks away, so that it cannot be undone.
    Regret,
    /// The same with the oldest of those that are listed.
    RegretOldest,
    /// Looks at another tab, and back.
    LookAway,
    LoadOlder,
    /// Leaves the page, and goes back to it.
    Leave,
    /// Loads the page again.
    Reload,
    Touch,
}

impl Does {
    /// Whether it changes the conversation.
    fn is_writing(self) -> bool {
        matches!(
            self,
            Self::Write(_) | Self::Delete | Self::Regret | Self::RegretOldest
        )
    }
}

impl Round {
    /// Plans the round of this number of a run with this seed.
    pub fn plan(seed: u64, number: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        // Each round has numbers of its own, whatever the others have drawn.
        let mut rng = StdRng::seed_from_u64(rng.next_u64().wrapping_add(number));
        let uploads: Vec<_> = (0..UPLOADS)
            .map(|_| Meeting {
                clients: rng.random_range(CLIENTS),
                expires: rng.random_ratio(1, 4),
                history: if rng.random_ratio(1, 2) {
                    rng.random_range(HISTORY)
                } else {
                    0
                },
            })
            .collect();
        let clients = uploads.iter().map(|it| it.clients).sum();
        let storm = rng.random_range(STORM);
        let mut round = Self {
            uploads,
            faults: faults(&mut rng, storm, clients),
            acts: Vec::new(),
            calm: Vec::new(),
            slow: Some(Planned {
                at: 0,
                duration: rng.random_range(STALL),
                what: rng.random_range(0..clients),
            }),
            quiet: 0,
            later: Vec::new(),
            slow_store: None,
            stores_fail: false,
        };
        // In half of the rounds nobody writes when the faults end: nothing later shows what was lost.
        let is_busy = rng.random_ratio(1, 2);
        let until = if is_busy { round.faults_end() } else { storm };
        round.acts = acts(&mut rng, MEETING + until, clients, true);
        return_after_faults(&mut rng, &mut round, clients);
        let all = |at| (0..clients).map(move |client| Planned::act(at, client, Does::Write(BURST)));
        round.calm = BURSTS.into_iter().flat_map(all).collect();
        round.calm.extend(acts(&mut rng, CALM, clients, false));
        if rng.random_ratio(1, 4) {
            round.quiet = rng.random_range(QUIET);
            round.later = quiet_acts(&mut rng, round.quiet, clients);
        }
        if rng.random_ratio(1, 2) {
            round.slow_store = Some(rng.random_range(0..NODES));
        }
        round.stores_fail = rng.random_ratio(1, 2);
        round
    }

    /// When all faults are over, from the end of [`MEETING`] on.
    pub fn faults_end(&self) -> Millis {
        let ends = self
            .faults
            .iter()
            .map(|it| it.at + it.what.lasts(it.duration));
        ends.max().unwrap_or_default()
    }

    /// When nobody does anything any more and all faults are over, from the beginning on.
    pub fn storm_end(&self) -> Millis {
        let last = self.acts.iter().map(|it| it.at).max();
        last.unwrap_or_default().max(MEETING + self.faults_end())
    }
}

impl Planned<Act> {
    fn act(at: Millis, client: usize, does: Does) -> Self {
        Self {
            at,
            duration: 0,
            what: Act { client, does },
        }
    }
}

fn faults(rng: &mut StdRng, storm: Millis, clients: usize) -> Vec<Planned<Fault>> {
    let (mut at, mut faults) = (0, Vec::new());
    while at < storm {
        let mut duration = rng.random_range(DURATION);
        let what = fault(rng, clients);
        if what == Fault::Restored {
            // A short one loses few messages, so that others soon have their numbers.
            if rng.random_ratio(1, 2) {
                duration = rng.random_range(SHORT_BACKUP);
            }
            // Who is cut off does not notice it for a while.
            faults.push(Planned {
                at: (at + duration).saturating_sub(rng.random_range(BEFORE_RESTORE)),
                duration: 0,
                what: Fault::ClientIsCutOff(rng.random_range(0..clients)),
            });
        }
        faults.push(Planned { at, duration, what });
        at += rng.random_range(FAULT_PAUSE);
    }
    faults
}

fn fault(rng: &mut StdRng, clients: usize) -> Fault {
    let node = rng.random_range(0..NODES);
    let client = rng.random_range(0..clients);
    match rng.random_range(0..15) {
        0 => Fault::Killed(node),
        1 => Fault::Stopped(node),
        2 => Fault::Frozen(node),
        3 => Fault::StoreIs(StoreLink::Slow, node),
        4 | 5 => Fault::StoreIs(StoreLink::Failing, node),
        6 => Fault::BrokerIs(BrokerLink::Unreliable, node),
        7 => Fault::BrokerIs(BrokerLink::Lossy, node),
        8 => Fault::BrokerIs(BrokerLink::Cut, node),
        9 => Fault::ClockJumps(node),
        10 => Fault::ClientStalls(client),
        11 => Fault::ClientVanishes(client),
        12 => Fault::ClientIsCutOff(client),
        13 if rng.random_ratio(1, 3) => Fault::Restored,
        _ => Fault::ClientIsOffline(client),
    }
}

fn acts(rng: &mut StdRng, until: Millis, clients: usize, has_lulls: bool) -> Vec<Planned<Act>> {
    let lulls = if has_lulls {
        lulls(rng, until)
    } else {
        Vec::new()
    };
    let mut acts = Vec::new();
    for client in 0..clients {
        let mut at = rng.random_range(PAUSE);
        while at < until {
            let does = does(rng);
            let is_lull = lulls.iter().any(|lull| lull.contains(&at));
            if !(is_lull && does.is_writing()) {
                acts.push(Planned::act(at, client, does));
                follow(rng, &mut acts, clients, is_lull);
            }
            at += rng.random_range(PAUSE);
        }
    }
    acts.sort_by_key(|it| (it.at, it.what.client));
    acts
}

fn lulls(rng: &mut StdRng, until: Millis) -> Vec<std::ops::Range<Millis>> {
    let (mut at, mut lulls) = (0, Vec::new());
    while at < until {
        let begin = at + rng.random_range(BUSY);
        at = begin + rng.random_range(LULL);
        lulls.push(begin..at);
    }
    lulls
}

/// What follows the last act: some regret what they have written, some who load the page look at older messages, and
/// meanwhile somebody deletes such a one.
fn follow(rng: &mut StdRng, acts: &mut Vec<Planned<Act>>, clients: usize, is_lull: bool) {
    let Some(last) = acts.last().copied() else {
        return;
    };
    let (is_regretted, is_deleted) = (rng.random_ratio(1, 3), rng.random_ratio(1, 2));
    if matches!(last.what.does, Does::Leave | Does::Reload) && !is_lull {
        // Somebody writes while they connect.
        let at = last.at + rng.random_range(AT_ONCE);
        let client = rng.random_range(0..clients);
        acts.push(Planned::act(at, client, Does::Write(1)));
    }
    let mut soon = |client, does| {
        let at = last.at + rng.random_range(SOON);
        acts.push(Planned::act(at, client, does));
    };
    match last.what.does {
        Does::Write(1) if is_regretted => soon(last.what.client, Does::Regret),
        Does::Reload | Does::LoadOlder => {
            soon(last.what.client, Does::LoadOlder);
            if is_deleted && !is_lull {
                (0..clients).for_each(|client| soon(client, Does::RegretOldest));
            }
        }
        _ => {}
    }
}

/// When a fault begins or ends, some come back: they look again, or load the page again. Who is cut off goes on writing.
fn return_after_faults(rng: &mut StdRng, round: &mut Round, clients: usize) {
    for fault in &round.faults {
        if let Fault::ClientIsCutOff(client) = fault.what {
            for _ in 0..CUT_OFF_WRITES {
                let at = MEETING + fault.at + rng.random_range(BEFORE_RESTORE);
                round.acts.push(Planned::act(at, client, Does::Write(1)));
            }
        }
        let end = fault.at + fault.what.lasts(fault.duration);
        for at in [fault.at, end] {
            let does = match rng.random_range(0..6) {
                0 => Does::Reload,
                1 => Does::Leave,
                2 => Does::LookAway,
                _ => continue,
            };
            let at = MEETING + at + rng.random_range(SOON);
            let client = rng.random_range(0..clients);
            round.acts.push(Planned::act(at, client, does));
        }
    }
    round.acts.sort_by_key(|it| (it.at, it.what.client));
}

/// People look at other tabs, leave and come back, and at last one of them writes.
fn quiet_acts(rng: &mut StdRng, until: Millis, clients: usize) -> Vec<Planned<Act>> {
    let mut acts = Vec::new();
    for client in 0..clients {
        let mut at = rng.random_range(QUIET_PAUSE);
        while at < until {
            let does = match rng.random_range(0..4) {
                0 => Does::Leave,
                1 => Does::Reload,
                _ => Does::LookAway,
            };
            acts.push(Planned::act(at, client, does));
            at += rng.random_range(QUIET_PAUSE);
        }
    }
    acts.sort_by_key(|it| (it.at, it.what.client));
    acts.push(Planned::act(
        until,
        rng.random_range(0..clients),
        Does::Write(1),
    ));
    acts
}

fn does(rng: &mut StdRng) -> Does {
    match rng.random_range(0..100) {
        0..2 => Does::Write(BURST),
        2..60 => Does::Write(1),
        60..70 => Does::Delete,
        70..78 => Does::LookAway,
        78..83 => Does::LoadOlder,
        83..86 => Does::Leave,
        86..90 => Does::Reload,
        _ => Does::Touch,
    }
}
