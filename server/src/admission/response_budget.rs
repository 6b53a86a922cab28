//! Limits the bytes of responses that are being sent, for the node and fairly by address, so that clients that send
//! requests without reading cannot fill the memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use thiserror::Error;

/// The bytes of responses that may be in flight. A request beyond it is refused before its response is made.
const MAX_BYTES: usize = 128 * 1024 * 1024;
/// An address may have one `SHARE_OF_FREE`th of the free bytes.
const SHARE_OF_FREE: usize = 8;
/// For an address without a reservation, so that long responses are possible.
const FIRST_SHARE_OF_FREE: usize = 2;

/// The node's budget or the share of this address is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too many bytes of responses are in flight")]
pub struct BudgetExceeded;

/// The budget of a node; clones share it. The table has at most one entry per response in flight.
#[derive(Clone)]
pub struct ResponseBudget(Arc<Inner>);

struct Inner {
    max: usize,
    reserved: Mutex<Reserved>,
}

#[derive(Default)]
struct Reserved {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Reserved bytes for a response, released when dropped.
pub struct Reservation {
    inner: Arc<Inner>,
    address: IpAddr,
    bytes: usize,
}

/// The reservation of a response whose bytes are shared by any number of clients: they are reserved once.
#[derive(Default)]
pub struct SharedReservation(Mutex<Weak<Reservation>>);

/// Bytes that hold their reservation until all of them are dropped.
struct HeldBytes<R> {
    bytes: Bytes,
    _reservation: R,
}

impl<R> AsRef<[u8]> for HeldBytes<R> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for ResponseBudget {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

impl ResponseBudget {
    fn new(max: usize) -> Self {
        Self(Arc::new(Inner {
            max,
            reserved: Mutex::default(),
        }))
    }

    /// Reserves bytes for an address. The fewer bytes are free, the fewer an address may have.
    ///
    /// # Errors
    /// [`BudgetExceeded`] if the address would exceed its share.
    pub fn reserve(&self, address: IpAddr, bytes: usize) -> Result<Reservation, BudgetExceeded> {
        let mut reserved = self.0.lock();
        let free = self.0.max.saturating_sub(reserved.total);
        let current = reserved.by_address.get(&address).copied().unwrap_or(0);
        let share = match current {
            0 => free / FIRST_SHARE_OF_FREE,
            _ => free / SHARE_OF_FREE,
        };
        if current + bytes > share {
            return Err(BudgetExceeded);
        }
        reserved.add(address, bytes);
        Ok(Reservation {
            inner: Arc::clone(&self.0),
            address,
            bytes,
        })
    }

    /// The number of reserved bytes.
    pub fn reserved(&self) -> usize {
        self.0.lock().total
    }
}

impl Reservation {
    /// Changes the number of reserved bytes, to the size that is known now. The limits are not checked.
    pub fn resize(&mut self, bytes: usize) {
        let mut reserved = self.inner.lock();
        reserved.add(self.address, bytes);
        reserved.remove(self.address, self.bytes);
        self.bytes = bytes;
    }

    /// Attaches the reservation to bytes, which hold it until they are sent or dropped.
    pub fn hold(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(HeldBytes {
            bytes,
            _reservation: self,
        })
    }

    /// Attaches the reservation to all bytes of an answer, and reserves no more than these.
    pub fn hold_exactly(mut self, bytes: Vec<u8>) -> Bytes {
        // Without unused capacity.
        let bytes = bytes.into_boxed_slice();
        self.resize(bytes.len());
        self.hold(bytes.into())
    }

    /// Attaches the shared reservation to bytes.
    pub fn share(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        let reservation = Arc::clone(self);
        Bytes::from_owner(HeldBytes {
            bytes,
            _reservation: reservation,
        })
    }

    /// Attaches the reservation to a stream of bytes.
    pub fn hold_stream<E>(
        self,
        chunks: impl Stream<Item = Result<Bytes, E>>,
    ) -> impl Stream<Item = Result<Bytes, E>> {
        let reservation = Arc::new(self);
        chunks.map_ok(move |chunk| reservation.share(chunk))
    }
}

impl SharedReservation {
    /// Returns the reservation in use, or reserves the bytes for this address. `bytes` must always be the same.
    ///
    /// # Errors
    /// [`BudgetExceeded`] if there is no reservation in use and the address would exceed its share.
    pub fn reserve(
        &self,
        budget: &ResponseBudget,
        address: IpAddr,
        bytes: usize,
    ) -> Result<Arc<Reservation>, BudgetExceeded> {
        let mut reservation = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = reservation.upgrade() {
            return Ok(shared);
        }
        let reserved = Arc::new(budget.reserve(address, bytes)?);
        *reservation = Arc::downgrade(&reserved);
        Ok(reserved)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Reserved> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reserved {
    fn add(&mut self, address: IpAddr, bytes: usize) {
        self.total += bytes;
        *self.by_address.entry(address).or_default() += bytes;
    }

    fn remove(&mut self, address: IpAddr, bytes: usize) {
        self.total -= bytes;
        if let Some(current) = self.by_address.get_mut(&address) {
            *current -= bytes;
            if *current == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.inner.lock().remove(self.address, self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from_bits(number))
    }

    #[test]
    fn bytes_are_released_when_the_last_of_them_are_dropped() {
        let budget = ResponseBudget::new(1_000);
        let mut reservation = budget.reserve(address(1), 100).unwrap();
        reservation.resize(80);
        let mut bytes = reservation.hold(vec![7; 80].into());
        assert_eq!(budget.reserved(), 80);
        let rest = bytes.split_off(50);
        drop(bytes);
        assert_eq!((budget.reserved(), &rest[..]), (80, &[7; 30][..]));
        drop(rest);
        assert_eq!(budget.reserved(), 0);
        assert!(budget.0.lock().by_address.is_empty());
    }

    #[test]
    fn greedy_addresses_leave_room_for_others() {
        for greedy in [1, 10, 100] {
            let budget = ResponseBudget::new(1_000_000);
            let mut reservations = Vec::new();
            loop {
                let before = reservations.len();
                reservations
                    .extend((0..greedy).filter_map(|it| budget.reserve(address(it), 100).ok()));
                if reservations.len() == before {
                    break;
                }
            }
            let free = 1_000_000 - budget.reserved();
            assert!(free > 50_000, "{greedy} addresses leave {free}");
            assert!(budget.reserve(address(1_000), 20_000).is_ok());
        }
    }

    #[test]
    fn shared_bytes_are_reserved_once() {
        let budget = ResponseBudget::new(1_000);
        let (shared, bytes) = (SharedReservation::default(), Bytes::from(vec![0; 400]));
        let reserve = |it| shared.reserve(&budget, address(it), 400);
        let held: Vec<_> = (0..50)
            .map(|it| reserve(it).unwrap().share(bytes.clone()))
            .collect();
        assert_eq!(budget.reserved(), 400);
        drop(held);
        assert_eq!(budget.reserved(), 0);
        let _other = budget.reserve(address(1), 300).unwrap();
        assert_eq!(reserve(1).err(), Some(BudgetExceeded));
    }
}
