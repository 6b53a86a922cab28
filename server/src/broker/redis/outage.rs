//! Tells the node when frames may be missing, and when they flow again: one word for all servers together.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::channels::Receiver;
use crate::broker::Deliver;

/// A loss that is repaired within this time is not told as an interruption.
const TOLD_AFTER: Duration = Duration::from_secs(2);

/// Counts the lines on which frames may be missing.
pub struct Outage {
    losses: watch::Sender<Losses>,
    receiver: Receiver,
    is_attached: watch::Sender<bool>,
}

#[derive(Default)]
struct Losses {
    /// Lost now.
    now: usize,
    /// Ever lost: a loss that is over before anybody looked is noticed too.
    ever: u64,
}

/// What one server's frames arrive on. It counts as lost until it is told to be proven, and no longer once it is
/// dropped.
pub struct Line {
    outage: Arc<Outage>,
    is_proven: AtomicBool,
}

impl Line {
    pub fn new(outage: Arc<Outage>) -> Self {
        outage.count_loss();
        Self {
            outage,
            is_proven: AtomicBool::new(false),
        }
    }

    pub fn is_proven(&self) -> bool {
        self.is_proven.load(Ordering::Acquire)
    }

    pub fn lost(&self) {
        if self.is_proven.swap(false, Ordering::AcqRel) {
            self.outage.count_loss();
        }
    }

    pub fn proven(&self) {
        if !self.is_proven.swap(true, Ordering::AcqRel) {
            self.outage.count_repair();
        }
    }

    pub fn receiver(&self) -> Receiver {
        Arc::clone(&self.outage.receiver)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.proven();
    }
}

impl Outage {
    pub fn new() -> Self {
        Self {
            losses: watch::Sender::default(),
            receiver: Arc::new(OnceLock::new()),
            is_attached: watch::Sender::default(),
        }
    }

    /// Who hears it, and takes the frames; set once.
    pub fn attach(&self, receiver: Arc<dyn Deliver>) {
        let attached = self.receiver.set(receiver);
        debug_assert!(attached.is_ok(), "a receiver is attached once");
        self.is_attached.send_replace(true);
    }

    fn count_loss(&self) {
        self.losses.send_modify(|losses| {
            losses.now += 1;
            losses.ever += 1;
        });
    }

    fn count_repair(&self) {
        self.losses.send_modify(|losses| losses.now -= 1);
    }

    /// Tells of every loss from this call on, without end.
    pub async fn run(&self) {
        let mut losses = self.losses.subscribe();
        let mut told = losses.borrow().ever;
        until(&mut self.is_attached.subscribe(), |it| *it).await;
        let Some(receiver) = self.receiver.get() else {
            return;
        };
        loop {
            until(&mut losses, |it| it.ever > told).await;
            // Whatever is lost after the moment of repair is another outage.
            let is_repaired = |it: &Losses| {
                told = it.ever;
                it.now == 0
            };
            let mut repair = pin!(until(&mut losses, is_repaired));
            if timeout(TOLD_AFTER, &mut repair).await.is_err() {
                tracing::warn!("frames between nodes are interrupted");
                receiver.interrupted();
                repair.await;
            }
            tracing::info!("frames between nodes flow again");
            receiver.repaired();
        }
    }
}

/// Waits until it is so.
async fn until<T>(watched: &mut watch::Receiver<T>, is_so: impl FnMut(&T) -> bool) {
    // The sender lives as long as whoever waits here.
    let _ = watched.wait_for(is_so).await;
}
