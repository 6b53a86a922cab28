//! Reports to the node when frames may be missing and when that is over, for all servers together.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::channels::Receiver;
use crate::broker::Deliver;

/// A loss that is repaired within this time is not reported as an interruption.
const REPORT_AFTER: Duration = Duration::from_secs(2);

/// Counts the links that are lost, and reports outages.
pub struct OutageMonitor {
    losses: watch::Sender<Losses>,
    receiver: Receiver,
    is_attached: watch::Sender<bool>,
}

#[derive(Default)]
struct Losses {
    /// Links that are lost now.
    current: usize,
    /// All losses so far, so that one that ends quickly is noticed too.
    total: u64,
}

/// The health of the link to one server. It counts as lost at first, and no longer when it is dropped.
pub struct LinkHealth {
    outage: Arc<OutageMonitor>,
    is_healthy: AtomicBool,
}

impl LinkHealth {
    pub fn new(outage: Arc<OutageMonitor>) -> Self {
        outage.count_loss();
        Self {
            outage,
            is_healthy: AtomicBool::new(false),
        }
    }

    pub fn is_healthy(&self) -> bool {
        self.is_healthy.load(Ordering::Acquire)
    }

    pub fn set_lost(&self) {
        if self.is_healthy.swap(false, Ordering::AcqRel) {
            self.outage.count_loss();
        }
    }

    pub fn set_healthy(&self) {
        if !self.is_healthy.swap(true, Ordering::AcqRel) {
            self.outage.count_repair();
        }
    }

    pub fn receiver(&self) -> Receiver {
        Arc::clone(&self.outage.receiver)
    }
}

impl Drop for LinkHealth {
    fn drop(&mut self) {
        self.set_healthy();
    }
}

impl OutageMonitor {
    pub fn new() -> Self {
        Self {
            losses: watch::Sender::default(),
            receiver: Arc::new(OnceLock::new()),
            is_attached: watch::Sender::default(),
        }
    }

    /// Sets the receiver of reports and frames, once.
    pub fn attach(&self, receiver: Arc<dyn Deliver>) {
        let attached = self.receiver.set(receiver);
        debug_assert!(attached.is_ok(), "a receiver is attached once");
        self.is_attached.send_replace(true);
    }

    fn count_loss(&self) {
        self.losses.send_modify(|losses| {
            losses.current += 1;
            losses.total += 1;
        });
    }

    fn count_repair(&self) {
        self.losses.send_modify(|losses| losses.current -= 1);
    }

    /// Reports every loss from this call on, forever.
    pub async fn run(&self) {
        let mut losses = self.losses.subscribe();
        let mut reported = losses.borrow().total;
        wait_until(&mut self.is_attached.subscribe(), |it| *it).await;
        let Some(receiver) = self.receiver.get() else {
            return;
        };
        loop {
            wait_until(&mut losses, |it| it.total > reported).await;
            // A loss after this moment is another outage.
            let is_repaired = |it: &Losses| {
                reported = it.total;
                it.current == 0
            };
            let mut repair = pin!(wait_until(&mut losses, is_repaired));
            if timeout(REPORT_AFTER, &mut repair).await.is_err() {
                tracing::warn!("the subscription at Redis is interrupted");
                receiver.interrupted();
                repair.await;
            }
            tracing::info!("the subscription at Redis is repaired");
            receiver.repaired();
        }
    }
}

/// Waits until the condition holds.
async fn wait_until<T>(watched: &mut watch::Receiver<T>, condition: impl FnMut(&T) -> bool) {
    // The sender cannot be dropped: the caller borrows it.
    let _ = watched.wait_for(condition).await;
}
