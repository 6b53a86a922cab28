//! Stretches of time in which frames flow from the broker without a break.

use std::sync::atomic::{AtomicU64, Ordering};

/// One stretch, in which frames flow or in which they do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Era(u64);

impl Era {
    /// Whether frames flow in it.
    pub(super) fn flows(self) -> bool {
        self.0.is_multiple_of(2)
    }
}

/// Which stretch it is. Even numbers are those in which frames flow.
#[derive(Debug, Default)]
pub(super) struct Eras(AtomicU64);

impl Eras {
    pub(super) fn now(&self) -> Era {
        Era(self.0.load(Ordering::SeqCst))
    }

    /// Frames do not flow from now on.
    pub(super) fn interrupted(&self) {
        self.0.fetch_or(1, Ordering::SeqCst);
    }

    /// Frames flow again; there was a break, whether it was told or not.
    pub(super) fn repaired(&self) {
        self.interrupted();
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_break_ends_an_era() {
        let eras = Eras::default();
        let first = eras.now();
        assert!(first.flows());
        eras.repaired();
        let second = eras.now();
        assert!(second.flows() && second != first, "a short break, not told");
        eras.interrupted();
        assert!(!eras.now().flows());
        eras.repaired();
        assert!(eras.now().flows() && eras.now() != second);
    }
}
