//! Pings silent sockets and gives up dead ones, for all sockets of a node: a timer for each would cost more than the
//! socket.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use slab::Slab;
use tokio::time::{MissedTickBehavior, interval};

use super::Hub;
use super::batch::Batch;
use super::outbox::{End, Outbox};
use crate::broker::DeliveryClass;
use crate::websocket;

/// How long a socket may take nothing of what waits before its peer counts as dead.
const STUCK: Duration = Duration::from_secs(20);
/// Pings without an answer after which the peer counts as dead.
const MAX_UNANSWERED_PINGS: u8 = 2;
/// The sockets are looked at this often while a silent one has to be pinged.
const LOOKS: u32 = 30;
/// But not more often than this.
const SHORTEST_LOOK: Duration = Duration::from_millis(5);

/// The sockets of a node.
pub(super) struct Keeper {
    started: Instant,
    sockets: Mutex<Slab<Arc<Socket>>>,
}

struct Socket {
    outbox: Arc<Outbox>,
    /// When a frame came last, in milliseconds since the start.
    heard: AtomicU64,
    unanswered_pings: AtomicU8,
}

/// A socket's place with the keeper, until it is dropped.
pub(super) struct Kept {
    keeper: Arc<Keeper>,
    socket: Arc<Socket>,
    place: usize,
}

impl Keeper {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            sockets: Mutex::default(),
        })
    }

    /// Looks after a socket from now on.
    pub(super) fn keep(self: &Arc<Self>, outbox: Arc<Outbox>) -> Kept {
        let socket = Arc::new(Socket {
            outbox,
            heard: AtomicU64::new(self.now()),
            unanswered_pings: AtomicU8::new(0),
        });
        Kept {
            place: self.lock().insert(Arc::clone(&socket)),
            keeper: Arc::clone(self),
            socket,
        }
    }

    /// Milliseconds since the start.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// How many message frames and how many touch frames wait.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let sockets = self.lock();
        let waiting = sockets.iter().map(|(_, socket)| socket.outbox.waiting());
        waiting.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    fn look(&self, ping_every: Duration) {
        let ping_every = u64::try_from(ping_every.as_millis()).unwrap_or(u64::MAX);
        let now = self.now();
        let all: Vec<_> = self
            .lock()
            .iter()
            .map(|(_, socket)| Arc::clone(socket))
            .collect();
        let ping = Batch::one(DeliveryClass::Message, websocket::PING);
        for socket in all {
            let pings = socket.unanswered_pings.load(Ordering::Relaxed);
            let silent = now.saturating_sub(socket.heard.load(Ordering::Relaxed));
            let is_due = silent >= ping_every.saturating_mul(u64::from(pings) + 1);
            if socket.outbox.is_stuck(STUCK) {
                socket.outbox.give_up(End::Overflowed);
            } else if is_due && pings >= MAX_UNANSWERED_PINGS {
                socket.outbox.give_up(End::Broken);
            } else if is_due {
                socket.unanswered_pings.store(pings + 1, Ordering::Relaxed);
                socket.outbox.push(&ping);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Arc<Socket>>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// A frame came.
    pub(super) fn heard(&self) {
        self.socket
            .heard
            .store(self.keeper.now(), Ordering::Relaxed);
        self.socket.unanswered_pings.store(0, Ordering::Relaxed);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.keeper.lock().try_remove(self.place);
    }
}

/// Looks after the hub's sockets until the node shuts down.
pub(super) async fn run(hub: Hub) {
    let ping_every = hub.0.limits.pace.ping_every;
    let mut looks = interval((ping_every / LOOKS).max(SHORTEST_LOOK));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let shutdown = hub.0.shutdown.clone();
    while shutdown.run_until_cancelled(looks.tick()).await.is_some() {
        hub.0.keeper.look(ping_every);
    }
}
