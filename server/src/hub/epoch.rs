//! Epochs of the node's subscription at the broker: each interruption and each repair begins a new one.

use std::sync::atomic::Ordering;

use crate::sync::AtomicU64;

/// A period in which the subscription was intact throughout, or interrupted throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Epoch(u64);

impl Epoch {
    /// Whether the subscription is intact in this epoch.
    pub(super) fn is_connected(self) -> bool {
        self.0.is_multiple_of(2)
    }
}

/// The current epoch. The subscription is intact in epochs with even numbers.
#[derive(Debug, Default)]
pub(super) struct EpochCounter(AtomicU64);

impl EpochCounter {
    pub(super) fn current(&self) -> Epoch {
        Epoch(self.0.load(Ordering::SeqCst))
    }

    pub(super) fn interrupted(&self) {
        self.0.fetch_or(1, Ordering::SeqCst);
    }

    /// Ends an interruption; one that was not reported counts too.
    pub(super) fn repaired(&self) {
        self.interrupted();
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interruption_ends_an_epoch() {
        let epochs = EpochCounter::default();
        let first = epochs.current();
        assert!(first.is_connected());
        epochs.repaired();
        let second = epochs.current();
        assert!(
            second.is_connected() && second != first,
            "a short interruption that was not reported"
        );
        epochs.interrupted();
        assert!(!epochs.current().is_connected());
        epochs.repaired();
        assert!(epochs.current().is_connected() && epochs.current() != second);
    }
}
