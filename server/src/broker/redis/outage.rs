//! Tells the node when frames may be missing, and when they flow again: one word for all servers together.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::channels::Receiver;
use crate::broker::Deliver;

/// A loss that is repaired within this time is not told as an interruption.
const TOLD_AFTER: Duration = Duration::from_secs(2);

/// Counts the servers whose subscription is lost.
pub struct Outage {
    losses: watch::Sender<Losses>,
    receiver: Receiver,
    attached: watch::Sender<bool>,
}

#[derive(Default)]
struct Losses {
    /// Lost now.
    now: usize,
    /// Ever lost: a loss that is over before anybody looked is noticed too.
    ever: u64,
}

impl Outage {
    pub fn new() -> Self {
        Self {
            losses: watch::Sender::default(),
            receiver: Arc::new(OnceLock::new()),
            attached: watch::Sender::default(),
        }
    }

    /// Who hears it, and takes the frames; set once.
    pub fn attach(&self, receiver: Arc<dyn Deliver>) {
        let attached = self.receiver.set(receiver);
        debug_assert!(attached.is_ok(), "a receiver is attached once");
        self.attached.send_replace(true);
    }

    pub fn receiver(&self) -> Receiver {
        Arc::clone(&self.receiver)
    }

    /// A server's subscription is lost.
    pub fn lost(&self) {
        self.losses.send_modify(|losses| {
            losses.now += 1;
            losses.ever += 1;
        });
    }

    /// A server's subscription is proven again, or no longer needed.
    pub fn repaired(&self) {
        self.losses
            .send_modify(|losses| losses.now = losses.now.saturating_sub(1));
    }

    /// Tells, without end.
    pub async fn run(&self) {
        let mut attached = self.attached.subscribe();
        let Some(receiver) = until(&mut attached, |it| *it)
            .await
            .then(|| self.receiver.get())
            .flatten()
        else {
            return;
        };
        let mut losses = self.losses.subscribe();
        let mut told = 0;
        while until(&mut losses, |it| it.ever > told).await {
            // Whatever is lost after this moment is another outage.
            let is_repaired = |it: &Losses| {
                told = it.ever;
                it.now == 0
            };
            let mut repair = std::pin::pin!(until(&mut losses, is_repaired));
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

/// Waits until it is so; false when it never will be.
async fn until<T>(watched: &mut watch::Receiver<T>, is_so: impl FnMut(&T) -> bool) -> bool {
    watched.wait_for(is_so).await.is_ok()
}
