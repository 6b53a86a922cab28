//! Pings silent sockets and gives up dead ones, for all sockets of a node: a timer for each would cost more than the
//! socket.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use slab::Slab;
use tokio::time::{MissedTickBehavior, interval};

use super::batch::Batch;
use super::outbox::{End, Outbox};
use super::waiting::WaitingBytes;
use crate::broker::DeliveryClass;
use crate::config::HubIntervals;
use crate::websocket;

/// Pings without an answer after which the peer counts as dead.
const MAX_UNANSWERED_PINGS: u8 = 2;
/// How often the sockets are looked at in the time after which one is pinged or given up.
const LOOKS: u32 = 20;

/// The sockets of a node.
pub(super) struct Keeper {
    started: Instant,
    sockets: Mutex<Slab<Arc<Socket>>>,
}

struct Socket {
    outbox: Arc<Outbox>,
    /// When something came last, in milliseconds since the start.
    heard: AtomicU64,
    unanswered_pings: AtomicU8,
    /// The node does not read from it.
    is_busy: AtomicBool,
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
            is_busy: AtomicBool::new(false),
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

    fn look(&self, pace: &HubIntervals) {
        let ping_every = u64::try_from(pace.ping_every.as_millis()).unwrap_or(u64::MAX);
        let now = self.now();
        let ping = Batch::one(DeliveryClass::Message, websocket::PING);
        for socket in self.all() {
            if socket.outbox.stalled() >= pace.stuck_after {
                socket.outbox.give_up(End::Overflowed);
            } else {
                socket.ping_if_due(ping_every, now, &ping);
            }
        }
    }

    /// Sheds sockets until half of the room for what waits is free again: first those that hold most and stall longest.
    fn shed(&self, node: &WaitingBytes) {
        let all = self.all().into_iter();
        let mut all: Vec<_> = all
            .map(|socket| (burden(&socket.outbox), socket))
            .filter(|(burden, _)| *burden > 0)
            .collect();
        all.sort_unstable_by_key(|(burden, _)| Reverse(*burden));
        for (_, socket) in all {
            if node.above_half() == 0 {
                return;
            }
            socket.outbox.shed();
        }
    }

    fn all(&self) -> Vec<Arc<Socket>> {
        let sockets = self.lock();
        sockets.iter().map(|(_, it)| Arc::clone(it)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Arc<Socket>>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes that wait for a socket, times the milliseconds for which it has taken none: whoever reads, however slowly,
/// counts little.
fn burden(outbox: &Outbox) -> u128 {
    let bytes = outbox.waiting().2 as u128;
    bytes * (1 + outbox.stalled().as_millis())
}

impl Socket {
    fn ping_if_due(&self, ping_every: u64, now: u64, ping: &Batch) {
        let pings = self.unanswered_pings.load(Ordering::Relaxed);
        let silent = now.saturating_sub(self.heard.load(Ordering::Relaxed));
        let is_due = silent >= ping_every.saturating_mul(u64::from(pings) + 1);
        if !is_due || self.is_busy.load(Ordering::Relaxed) {
            return;
        }
        if pings >= MAX_UNANSWERED_PINGS {
            self.outbox.give_up(End::Broken);
        } else {
            self.unanswered_pings.store(pings + 1, Ordering::Relaxed);
            self.outbox.push(ping);
        }
    }
}

impl Kept {
    /// Something came.
    pub(super) fn heard(&self) {
        self.socket
            .heard
            .store(self.keeper.now(), Ordering::Relaxed);
        self.socket.unanswered_pings.store(0, Ordering::Relaxed);
    }

    /// As long as the node is busy with what the client said and reads nothing more, silence says nothing of the client.
    pub(super) fn busy(&self) -> Busy<'_> {
        self.socket.is_busy.store(true, Ordering::Relaxed);
        Busy(self)
    }
}

/// The node does not read from this socket, until this is dropped.
pub(super) struct Busy<'a>(&'a Kept);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.heard();
        self.0.socket.is_busy.store(false, Ordering::Relaxed);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.keeper.lock().try_remove(self.place);
    }
}

/// Looks after the hub's sockets, without end.
pub(super) async fn run(keeper: Arc<Keeper>, waiting: Arc<WaitingBytes>, pace: HubIntervals) {
    let mut looks = interval(pace.shortest() / LOOKS);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = waiting.short() => keeper.shed(&waiting),
            _ = looks.tick() => keeper.look(&pace),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::hub::outbox::Need;

    #[tokio::test]
    async fn a_node_short_of_room_gives_up_the_sockets_with_the_most_waiting() {
        let node = Arc::new(WaitingBytes::new(100_000));
        let keeper = Keeper::new();
        let kept: Vec<_> = [10_000, 45_000, 25_000]
            .map(|length| {
                let outbox = Arc::new(Outbox::unconnected(Arc::clone(&node)));
                let bytes = vec![0; length].into();
                outbox.push(&Batch::one(DeliveryClass::Message, bytes));
                keeper.keep(outbox)
            })
            .into();
        node.short().await;
        keeper.shed(&node);
        let needs = kept.iter().map(|kept| kept.socket.outbox.need());
        let needs: Vec<_> = needs.collect();
        assert_eq!(needs, [Need::Write, Need::Overflowed, Need::Write]);
        assert_eq!(node.above_half(), 0);
    }

    #[tokio::test]
    async fn whoever_stalls_goes_before_whoever_reads_though_more_waits_for_that_one() {
        let node = Arc::new(WaitingBytes::new(100_000));
        let keeper = Keeper::new();
        let keep = |length: usize| {
            let outbox = Arc::new(Outbox::unconnected(Arc::clone(&node)));
            let bytes = vec![0; length].into();
            outbox.push(&Batch::one(DeliveryClass::Message, bytes));
            keeper.keep(outbox)
        };
        let stalls = keep(35_000);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let reads = keep(45_000);
        keeper.shed(&node);
        let needs = [stalls, reads].map(|kept| kept.socket.outbox.need());
        assert_eq!(needs, [Need::Overflowed, Need::Write]);
    }
}
