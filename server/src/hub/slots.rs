//! How many sockets a node serves, in all and per client address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

/// Why there is no place for a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoSlot {
    /// The node serves as many as it may.
    #[error("this node serves as many sockets as it can")]
    Node,
    /// This address has as many as it may.
    #[error("too many sockets from this address")]
    Address,
}

/// The places for sockets; clones share them. The table has at most one entry per open socket.
#[derive(Clone)]
pub struct SocketSlots(Arc<Slots>);

struct Slots {
    max: usize,
    max_per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One socket's place, given back when dropped.
pub struct SocketSlot {
    slots: Arc<Slots>,
    address: IpAddr,
}

impl SocketSlots {
    /// At most `max` sockets, and `max_per_address` from one address.
    pub fn new(max: usize, max_per_address: usize) -> Self {
        Self(Arc::new(Slots {
            max,
            max_per_address,
            taken: Mutex::default(),
        }))
    }

    /// Takes a place.
    ///
    /// # Errors
    /// [`NoSlot`] when there is none left.
    pub fn take(&self, address: IpAddr) -> Result<SocketSlot, NoSlot> {
        let mut taken = self.0.lock();
        if taken.total >= self.0.max {
            return Err(NoSlot::Node);
        }
        if taken
            .by_address
            .get(&address)
            .is_some_and(|count| *count >= self.0.max_per_address)
        {
            return Err(NoSlot::Address);
        }
        taken.total += 1;
        *taken.by_address.entry(address).or_default() += 1;
        Ok(SocketSlot {
            slots: Arc::clone(&self.0),
            address,
        })
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        self.0.lock().total
    }
}

impl Slots {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SocketSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        taken.total -= 1;
        if let Some(count) = taken.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back_when_its_socket_ends() {
        let slots = SocketSlots::new(2, 1);
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let first = slots.take(here).unwrap();
        assert_eq!(slots.take(here).err(), Some(NoSlot::Address));
        let _second = slots.take(there).unwrap();
        assert_eq!(
            slots.take(IpAddr::from([127, 0, 0, 3])).err(),
            Some(NoSlot::Node)
        );
        drop(first);
        assert!(slots.take(here).is_ok());
        assert_eq!(slots.taken(), 1);
        assert_eq!(slots.0.lock().by_address.len(), 1);
    }
}
