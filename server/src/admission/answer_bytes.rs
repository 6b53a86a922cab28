//! The bytes of answers that are being sent, for all connections of a node together, and what one address may have of
//! them: whoever asks and takes nothing costs no more than this.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use thiserror::Error;

/// How many bytes of answers may be under way. Whoever asks for more is refused before the answer is made.
const MAX_BYTES: usize = 128 * 1024 * 1024;
/// An address may have this part of what is free.
const SHARE_OF_FREE: usize = 8;
/// One that has nothing yet may have this part, so that long answers find room too.
const FIRST_SHARE_OF_FREE: usize = 2;

/// There is no room for another answer, on this node or for this address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too much is being sent")]
pub struct NoRoom;

/// The room of a node; clones share it. The table has at most one entry for each answer that is under way.
#[derive(Clone)]
pub struct AnswerBytes(Arc<Inner>);

struct Inner {
    max: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Room for an answer, given back when dropped.
pub struct Room {
    inner: Arc<Inner>,
    address: IpAddr,
    bytes: usize,
}

/// The room of an answer that is sent to any number of clients from the same bytes: it is taken once.
#[derive(Default)]
pub struct SharedRoom(Mutex<Weak<Room>>);

/// Bytes that have their room as long as anything of them is to be sent.
struct Held<R> {
    bytes: Bytes,
    _room: R,
}

impl<R> AsRef<[u8]> for Held<R> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for AnswerBytes {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

impl AnswerBytes {
    fn new(max: usize) -> Self {
        Self(Arc::new(Inner {
            max,
            taken: Mutex::default(),
        }))
    }

    /// Takes room for the address, as it is counted (`ClientAddress::counted`). The less is free, the less one address
    /// may have.
    ///
    /// # Errors
    /// [`NoRoom`] when the address has its share already.
    pub fn take(&self, address: IpAddr, bytes: usize) -> Result<Room, NoRoom> {
        let mut taken = self.0.lock();
        let free = self.0.max.saturating_sub(taken.total);
        let has = taken.by_address.get(&address).copied().unwrap_or(0);
        let share = match has {
            0 => free / FIRST_SHARE_OF_FREE,
            _ => free / SHARE_OF_FREE,
        };
        if has + bytes > share {
            return Err(NoRoom);
        }
        taken.add(address, bytes);
        Ok(Room {
            inner: Arc::clone(&self.0),
            address,
            bytes,
        })
    }

    /// How many bytes are under way.
    pub fn taken(&self) -> usize {
        self.0.lock().total
    }
}

impl Room {
    /// Takes as much as it is known to need now.
    pub fn resize(&mut self, bytes: usize) {
        let mut taken = self.inner.lock();
        taken.add(self.address, bytes);
        taken.remove(self.address, self.bytes);
        self.bytes = bytes;
    }

    /// These bytes, which have this room until they are sent or dropped.
    pub fn hold(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Held { bytes, _room: self })
    }

    /// The same bytes, which hold this room together with whatever else does.
    pub fn share(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        let room = Arc::clone(self);
        Bytes::from_owner(Held { bytes, _room: room })
    }

    /// The same pieces, each of which has this room until it is sent or dropped.
    pub fn hold_pieces<E>(
        self,
        pieces: impl Stream<Item = Result<Bytes, E>>,
    ) -> impl Stream<Item = Result<Bytes, E>> {
        let room = Arc::new(self);
        pieces.map_ok(move |piece| room.share(piece))
    }
}

impl SharedRoom {
    /// The room for so many bytes, which are always the same: the address takes it unless somebody has it.
    ///
    /// # Errors
    /// [`NoRoom`] when nobody else is sent them just now, and there is none.
    pub fn take(
        &self,
        answers: &AnswerBytes,
        address: IpAddr,
        bytes: usize,
    ) -> Result<Arc<Room>, NoRoom> {
        let mut room = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = room.upgrade() {
            return Ok(shared);
        }
        let taken = Arc::new(answers.take(address, bytes)?);
        *room = Arc::downgrade(&taken);
        Ok(taken)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn add(&mut self, address: IpAddr, bytes: usize) {
        self.total += bytes;
        *self.by_address.entry(address).or_default() += bytes;
    }

    fn remove(&mut self, address: IpAddr, bytes: usize) {
        self.total -= bytes;
        if let Some(has) = self.by_address.get_mut(&address) {
            *has -= bytes;
            if *has == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

impl Drop for Room {
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
    fn room_is_given_back_when_the_last_bytes_are_sent_or_dropped() {
        let answers = AnswerBytes::new(1_000);
        let mut room = answers.take(address(1), 100).unwrap();
        room.resize(80);
        let mut bytes = room.hold(vec![7; 80].into());
        assert_eq!(answers.taken(), 80);
        let rest = bytes.split_off(50);
        drop(bytes);
        assert_eq!((answers.taken(), &rest[..]), (80, &[7; 30][..]));
        drop(rest);
        assert_eq!(answers.taken(), 0);
        assert!(answers.0.lock().by_address.is_empty());
    }

    #[test]
    fn those_who_take_all_they_can_leave_room_for_others() {
        for greedy in [1, 10, 100] {
            let answers = AnswerBytes::new(1_000_000);
            let mut rooms = Vec::new();
            loop {
                let before = rooms.len();
                rooms.extend((0..greedy).filter_map(|it| answers.take(address(it), 100).ok()));
                if rooms.len() == before {
                    break;
                }
            }
            let free = 1_000_000 - answers.taken();
            assert!(free > 50_000, "{greedy} leave {free}");
            assert!(answers.take(address(1_000), 20_000).is_ok());
        }
    }

    #[test]
    fn what_is_sent_to_many_takes_its_room_once() {
        let answers = AnswerBytes::new(1_000);
        let (shared, bytes) = (SharedRoom::default(), Bytes::from(vec![0; 400]));
        let take = |it| shared.take(&answers, address(it), 400);
        let held: Vec<_> = (0..50)
            .map(|it| take(it).unwrap().share(bytes.clone()))
            .collect();
        assert_eq!(answers.taken(), 400);
        drop(held);
        assert_eq!(answers.taken(), 0);
        let _other = answers.take(address(1), 300).unwrap();
        assert_eq!(take(1).err(), Some(NoRoom));
    }
}
