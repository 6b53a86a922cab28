//! Limits on concurrent sockets, connections and uploads, in total and per client address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

/// With fair shares an address may hold one `SHARE_OF_FREE`th of the free slots. A single address gets a ninth of all
/// slots; a hundred addresses that take all they can leave 7 % free, so that another address still gets one.
const SHARE_OF_FREE: usize = 8;

/// Why no slot is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoSlot {
    /// All slots of the node are taken.
    #[error("all slots of this node are taken")]
    Node,
    /// The address has as many slots as it may.
    #[error("too many slots are taken by this address")]
    Address,
}

/// The slots; clones share them. The table has at most one entry per taken slot.
#[derive(Clone)]
pub struct Slots(Arc<Inner>);

struct Inner {
    max: usize,
    max_per_address: usize,
    fair_shares: bool,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A taken slot, released when dropped.
pub struct Slot {
    slots: Arc<Inner>,
    address: Option<IpAddr>,
}

impl Slots {
    /// Creates `max` slots, of which one address may take `max_per_address`.
    pub fn new(max: usize, max_per_address: usize) -> Self {
        Self::create(max, max_per_address, false)
    }

    /// As [`Slots::new`], but the fewer slots are free, the fewer an address may take, so that greedy addresses leave
    /// some for others.
    pub fn with_fair_shares(max: usize, max_per_address: usize) -> Self {
        Self::create(max, max_per_address, true)
    }

    fn create(max: usize, max_per_address: usize, fair_shares: bool) -> Self {
        Self(Arc::new(Inner {
            max,
            max_per_address,
            fair_shares,
            taken: Mutex::default(),
        }))
    }

    /// Takes a slot for an address, or for `None` if many clients share the address, as behind a trusted proxy, or if
    /// it is for no client.
    ///
    /// # Errors
    /// See [`NoSlot`].
    pub fn take(&self, address: Option<IpAddr>) -> Result<Slot, NoSlot> {
        let mut taken = self.0.lock();
        let free = self.0.max.saturating_sub(taken.total);
        if free == 0 {
            return Err(NoSlot::Node);
        }
        if let Some(address) = address {
            let max = self.0.max_of_address(free);
            let count = taken.by_address.entry(address).or_default();
            if *count >= max {
                return Err(NoSlot::Address);
            }
            *count += 1;
        }
        taken.total += 1;
        Ok(Slot {
            slots: Arc::clone(&self.0),
            address,
        })
    }

    /// The number of taken slots.
    pub fn taken(&self) -> usize {
        self.0.lock().total
    }
}

impl Inner {
    /// The maximum for one address. It is at least 1, so that an address without a slot is never refused, which would
    /// leave an empty entry in the table.
    fn max_of_address(&self, free: usize) -> usize {
        let fair = if self.fair_shares {
            1 + free / SHARE_OF_FREE
        } else {
            usize::MAX
        };
        fair.min(self.max_per_address).max(1)
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        taken.total -= 1;
        let Some(address) = self.address else {
            return;
        };
        if let Some(count) = taken.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{MAX_UPLOADS, MAX_UPLOADS_PER_ADDRESS};

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from_bits(number))
    }

    /// Takes all slots that these addresses can get.
    fn take_all(slots: &Slots, addresses: std::ops::Range<u32>) -> Vec<Slot> {
        let mut taken = Vec::new();
        loop {
            let before = taken.len();
            taken.extend(
                addresses
                    .clone()
                    .filter_map(|it| slots.take(Some(address(it))).ok()),
            );
            if taken.len() == before {
                return taken;
            }
        }
    }

    #[test]
    fn a_slot_is_released_when_it_is_dropped() {
        let slots = Slots::new(2, 1);
        let first = slots.take(Some(address(1))).unwrap();
        assert_eq!(slots.take(Some(address(1))).err(), Some(NoSlot::Address));
        let _second = slots.take(Some(address(2))).unwrap();
        assert_eq!(slots.take(Some(address(3))).err(), Some(NoSlot::Node));
        drop(first);
        assert!(slots.take(Some(address(1))).is_ok());
        assert_eq!(slots.taken(), 1);
        assert_eq!(slots.0.lock().by_address.len(), 1);
    }

    #[test]
    fn with_fair_shares_greedy_addresses_leave_slots_for_others() {
        for greedy in [1, 10, 100, 500] {
            let slots = Slots::with_fair_shares(10_000, 1_000);
            let _taken = take_all(&slots, 0..greedy);
            let newcomers: Vec<_> = (1_000..1_010)
                .map(|it| {
                    slots
                        .take(Some(address(it)))
                        .map_err(|error| (greedy, error))
                })
                .collect();
            assert!(newcomers.iter().all(Result::is_ok), "{:?}", slots.taken());
        }
    }

    #[test]
    fn greedy_addresses_leave_an_upload_slot_for_others() {
        let uploads = || Slots::with_fair_shares(MAX_UPLOADS, MAX_UPLOADS_PER_ADDRESS);
        assert_eq!(take_all(&uploads(), 0..1).len(), MAX_UPLOADS_PER_ADDRESS);
        for greedy in [2, 5, 20] {
            let slots = uploads();
            let taken = take_all(&slots, 0..greedy);
            let newcomer = slots.take(Some(address(1_000)));
            assert!(newcomer.is_ok(), "{greedy} addresses took {}", taken.len());
        }
    }

    #[test]
    fn an_address_with_fewer_slots_than_others_gets_one() {
        let slots = Slots::with_fair_shares(20_000, 1_000);
        let _greedy = take_all(&slots, 0..30);
        let most = slots.0.lock().by_address.values().max().copied().unwrap();
        for _ in 0..most / 2 {
            std::mem::forget(slots.take(Some(address(1_000))).unwrap());
        }
    }

    #[test]
    fn slots_without_an_address_are_limited_by_the_total_only() {
        let slots = Slots::with_fair_shares(20, 1);
        let taken: Vec<_> = (0..20).map(|_| slots.take(None).unwrap()).collect();
        assert_eq!(slots.take(None).err(), Some(NoSlot::Node));
        drop(taken);
        assert_eq!(slots.taken(), 0);
    }
}
