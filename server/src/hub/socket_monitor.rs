//! Pings silent sockets, and closes dead and slow ones. One task does it for all sockets of a node, because a timer for
//! each would cost more than the socket.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slab::Slab;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::batch::Batch;
use super::outbox::{Failure, Outbox, Queued};
use super::queued_bytes::QueuedBytes;
use crate::broker::DeliveryClass;
use crate::config::HubIntervals;
use crate::websocket;

/// The number of unanswered pings after which the peer counts as dead.
const MAX_UNANSWERED_PINGS: u8 = 2;
/// How often the sockets are checked within the shortest of the intervals.
const TICKS_PER_INTERVAL: u32 = 20;

/// The registered sockets of a node.
pub(super) struct SocketMonitor {
    started: Instant,
    sockets: Mutex<Slab<Arc<Socket>>>,
}

struct Socket {
    outbox: Arc<Outbox>,
    /// When something was last received, in milliseconds since the start.
    last_received: AtomicU64,
    unanswered_pings: AtomicU8,
    /// The node is not reading from it.
    is_busy: AtomicBool,
}

/// The registration of a socket, which ends when it is dropped.
pub(super) struct Registration {
    monitor: Arc<SocketMonitor>,
    socket: Arc<Socket>,
    index: usize,
}

impl SocketMonitor {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            sockets: Mutex::default(),
        })
    }

    pub(super) fn register(self: &Arc<Self>, outbox: Arc<Outbox>) -> Registration {
        let socket = Arc::new(Socket {
            outbox,
            last_received: AtomicU64::new(self.now()),
            unanswered_pings: AtomicU8::new(0),
            is_busy: AtomicBool::new(false),
        });
        Registration {
            index: self.lock().insert(Arc::clone(&socket)),
            monitor: Arc::clone(self),
            socket,
        }
    }

    /// Milliseconds since the start.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// What is queued for each socket.
    pub(super) fn queued(&self) -> Vec<Queued> {
        let sockets = self.lock();
        sockets.iter().map(|(_, it)| it.outbox.queued()).collect()
    }

    /// Closes stalled and dead sockets, and pings silent ones.
    fn tick(&self, intervals: &HubIntervals) {
        let ping_every = u64::try_from(intervals.ping_every.as_millis()).unwrap_or(u64::MAX);
        let now = self.now();
        let ping = Batch::single(DeliveryClass::Message, websocket::PING);
        for socket in self.all() {
            if socket.outbox.stalled_for() >= intervals.stuck_after {
                socket.outbox.fail(Failure::TooSlow);
            } else {
                socket.ping_if_due(ping_every, now, &ping);
            }
        }
    }

    /// Closes sockets until half of the room for queued bytes is free again, those with the highest
    /// [`eviction_score`] first.
    fn shed(&self, node: &QueuedBytes) {
        let all = self.all().into_iter();
        let mut all: Vec<_> = all
            .map(|socket| (eviction_score(&socket.outbox), socket))
            .filter(|(score, _)| *score > 0)
            .collect();
        all.sort_unstable_by_key(|(score, _)| Reverse(*score));
        for (_, socket) in all {
            if node.excess_over_half() == 0 {
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

/// The bytes that are queued for a socket, times the milliseconds for which it has accepted none, so that sockets that
/// read, however slowly, are closed last.
fn eviction_score(outbox: &Outbox) -> u128 {
    let bytes = outbox.queued().bytes as u128;
    bytes * (1 + outbox.stalled_for().as_millis())
}

impl Socket {
    fn ping_if_due(&self, ping_every: u64, now: u64, ping: &Batch) {
        let unanswered = self.unanswered_pings.load(Ordering::Relaxed);
        let silent = now.saturating_sub(self.last_received.load(Ordering::Relaxed));
        let is_due = silent >= ping_every.saturating_mul(u64::from(unanswered) + 1);
        if !is_due || self.is_busy.load(Ordering::Relaxed) {
            return;
        }
        if unanswered >= MAX_UNANSWERED_PINGS {
            self.outbox.fail(Failure::Dead);
        } else {
            self.unanswered_pings
                .store(unanswered + 1, Ordering::Relaxed);
            self.outbox.push(ping);
        }
    }
}

impl Registration {
    /// Records that something was received.
    pub(super) fn on_received(&self) {
        self.socket
            .last_received
            .store(self.monitor.now(), Ordering::Relaxed);
        self.socket.unanswered_pings.store(0, Ordering::Relaxed);
    }

    /// Suspends the check for silence while the node handles commands and does not read.
    pub(super) fn busy(&self) -> Busy<'_> {
        self.socket.is_busy.store(true, Ordering::Relaxed);
        Busy(self)
    }
}

/// Suspends the check for silence until it is dropped.
pub(super) struct Busy<'a>(&'a Registration);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.on_received();
        self.0.socket.is_busy.store(false, Ordering::Relaxed);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.monitor.lock().try_remove(self.index);
    }
}

/// Checks the registered sockets at intervals, and frees room when it is scarce; runs forever.
pub(super) async fn run(
    monitor: Arc<SocketMonitor>,
    queued: Arc<QueuedBytes>,
    intervals: HubIntervals,
) {
    let mut ticks = interval(intervals.shortest() / TICKS_PER_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = queued.nearly_full() => monitor.shed(&queued),
            _ = ticks.tick() => monitor.tick(&intervals),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::hub::outbox::Action;

    #[tokio::test]
    async fn a_nearly_full_node_closes_the_sockets_with_the_most_queued_bytes() {
        let node = Arc::new(QueuedBytes::new(100_000));
        let monitor = SocketMonitor::new();
        let registrations: Vec<_> = [10_000, 45_000, 25_000]
            .map(|length| {
                let (outbox, peer) = Outbox::in_memory(0, Arc::clone(&node));
                let bytes = vec![0; length].into();
                outbox.push(&Batch::single(DeliveryClass::Message, bytes));
                (monitor.register(outbox), peer)
            })
            .into();
        node.nearly_full().await;
        monitor.shed(&node);
        let actions = registrations
            .iter()
            .map(|(it, _)| it.socket.outbox.next_action());
        let actions: Vec<_> = actions.collect();
        assert_eq!(
            actions,
            [Action::Write, Action::CloseTooSlow, Action::Write]
        );
        assert_eq!(node.excess_over_half(), 0);
    }

    #[tokio::test]
    async fn a_stalled_socket_is_closed_before_a_reading_one_with_more_queued_bytes() {
        let node = Arc::new(QueuedBytes::new(100_000));
        let monitor = SocketMonitor::new();
        let register = |length: usize| {
            let (outbox, peer) = Outbox::in_memory(0, Arc::clone(&node));
            let bytes = vec![0; length].into();
            outbox.push(&Batch::single(DeliveryClass::Message, bytes));
            (monitor.register(outbox), peer)
        };
        let stalled = register(35_000);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let reading = register(45_000);
        monitor.shed(&node);
        let actions = [&stalled, &reading].map(|(it, _)| it.socket.outbox.next_action());
        assert_eq!(actions, [Action::CloseTooSlow, Action::Write]);
    }
}
