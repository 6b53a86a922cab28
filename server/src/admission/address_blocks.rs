//! Addresses from which nothing is taken for a while.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{Mutex, watch};

/// The addresses that are blocked, as far as this node knows. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct AddressBlocks {
    known: watch::Sender<HashSet<IpAddr>>,
    /// Held while they are read, so that an older reading cannot replace a newer one.
    refreshing: Arc<Mutex<()>>,
}

impl AddressBlocks {
    /// Reads which addresses are blocked from now on. Those that are known stay if that fails.
    ///
    /// # Errors
    /// That of `read`.
    pub async fn refresh<E>(
        &self,
        read: impl Future<Output = Result<HashSet<IpAddr>, E>>,
    ) -> Result<(), E> {
        let _refreshing = self.refreshing.lock().await;
        let blocked = read.await?;
        self.known.send_if_modified(|known| {
            let is_changed = *known != blocked;
            *known = blocked;
            is_changed
        });
        Ok(())
    }

    /// Returns whether an address is blocked.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.known.borrow().contains(&address)
    }

    /// Waits until an address is blocked.
    pub async fn wait_for(&self, address: IpAddr) {
        let mut changes = self.known.subscribe();
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
        let replace = |blocked: HashSet<IpAddr>| {
            let refresh = shared.refresh(async { Ok::<_, ()>(blocked) });
            refresh.now_or_never().unwrap().unwrap();
        };
        let mut waiting = Box::pin(blocks.wait_for(one));
        assert_eq!((&mut waiting).now_or_never(), None);
        replace(HashSet::from([other]));
        assert_eq!((&mut waiting).now_or_never(), None);
        assert!(blocks.contains(other) && !blocks.contains(one));
        replace(HashSet::from([one]));
        assert_eq!(waiting.now_or_never(), Some(()));
        assert!(blocks.contains(one) && !blocks.contains(other));
    }
}
