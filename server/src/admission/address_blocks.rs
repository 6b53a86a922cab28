//! Addresses from which nothing is taken for a while.

use std::collections::HashSet;
use std::net::IpAddr;

use tokio::sync::watch;

/// The addresses that are blocked, as far as this node knows. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct AddressBlocks(watch::Sender<HashSet<IpAddr>>);

impl AddressBlocks {
    /// Sets which addresses (from `ClientAddress::counted`) are blocked from now on.
    pub fn replace(&self, blocked: HashSet<IpAddr>) {
        self.0.send_if_modified(|known| {
            let is_changed = *known != blocked;
            *known = blocked;
            is_changed
        });
    }

    /// Returns whether an address (from `ClientAddress::counted`) is blocked.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.borrow().contains(&address)
    }

    /// Waits until an address (from `ClientAddress::counted`) is blocked.
    pub async fn wait_for(&self, address: IpAddr) {
        let mut changes = self.0.subscribe();
        // Cannot fail: the sender is borrowed.
        _ = changes.wait_for(|blocked| blocked.contains(&address)).await;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn who_waits_is_told_when_its_address_is_blocked() {
        let (one, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let blocks = AddressBlocks::default();
        let shared = blocks.clone();
        let mut waiting = Box::pin(blocks.wait_for(one));
        assert_eq!((&mut waiting).now_or_never(), None);
        shared.replace(HashSet::from([other]));
        assert_eq!((&mut waiting).now_or_never(), None);
        assert!(blocks.contains(other) && !blocks.contains(one));
        shared.replace(HashSet::from([one]));
        assert_eq!(waiting.now_or_never(), Some(()));
        assert!(blocks.contains(one) && !blocks.contains(other));
    }
}
