//! Room for uploads: what the quota and the disk leave. What is stored and what is free are read from time to time; in
//! between the node counts its own uploads, those under way included.

use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;

/// There is no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no room for more")]
pub struct NoRoom;

/// How much uploads may take, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct RoomLimits {
    /// Of all uploads at all nodes together; 0: no limit.
    pub max_stored: u64,
    /// What they leave free of the disk.
    pub min_free: u64,
}

/// The room for uploads at a node. Clones share it.
#[derive(Clone)]
pub struct Room(Arc<Inner>);

struct Inner {
    limits: RoomLimits,
    /// Changed under its lock, which is never held for long.
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What all uploads take.
    stored: Figure,
    /// What is free on the disk.
    free: Figure,
    /// Reserved for uploads under way.
    reserved: u64,
    /// Whether the last reservation was refused, which is logged once.
    is_full: bool,
}

/// A number of bytes as it was read last.
#[derive(Debug, Default)]
struct Figure {
    read: Option<u64>,
    /// The uploads that have ended since the last reading began: it may not contain them.
    ended: u64,
}

impl Figure {
    fn set(&mut self, read: Option<u64>, ended_before: u64) {
        if read.is_some() {
            self.read = read;
            self.ended -= ended_before;
        }
    }
}

/// A reading that is under way.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Uploads that ended before it are contained in it.
    ended_before: u64,
}

impl Room {
    /// Makes one for these limits. Nothing is known of what is stored and free yet.
    pub fn new(limits: RoomLimits) -> Self {
        let state = watch::Sender::default();
        Self(Arc::new(Inner { limits, state }))
    }

    /// Whether what is stored is limited.
    pub fn has_quota(&self) -> bool {
        self.0.limits.max_stored > 0
    }

    /// Begins to read what is stored; [`Self::set_stored`] ends it.
    pub fn begin_stored(&self) -> Reading {
        let ended_before = self.0.state.borrow().stored.ended;
        Reading { ended_before }
    }

    /// Records what all uploads take; `None` if that could not be read.
    pub fn set_stored(&self, reading: Reading, bytes: Option<u64>) {
        let set = |state: &mut State| state.stored.set(bytes, reading.ended_before);
        self.0.state.send_modify(set);
    }

    /// Begins to read what is free; [`Self::set_free`] ends it.
    pub fn begin_free(&self) -> Reading {
        let ended_before = self.0.state.borrow().free.ended;
        Reading { ended_before }
    }

    /// Records what is free on the disk; `None` if that could not be read.
    pub fn set_free(&self, reading: Reading, bytes: Option<u64>) {
        let set = |state: &mut State| state.free.set(bytes, reading.ended_before);
        self.0.state.send_modify(set);
    }

    /// Waits until what is stored is known, if there is a limit on it: after the start of a node that takes a moment.
    pub async fn known(&self) {
        let mut state = self.0.state.subscribe();
        let is_unlimited = self.0.limits.max_stored == 0;
        // Fails only if there is no sender any more.
        let known = state.wait_for(|state| is_unlimited || state.stored.read.is_some());
        drop(known.await);
    }

    /// Checks whether this would fit. It is not reserved: whoever only announces an upload takes no room from others.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn check(&self, bytes: u64) -> Result<(), NoRoom> {
        self.reserve(bytes).map(drop)
    }

    /// Reserves room for an upload.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn reserve(&self, bytes: u64) -> Result<Reservation, NoRoom> {
        let mut reservation = Reservation {
            room: self.clone(),
            bytes: 0,
        };
        reservation.grow_to(bytes)?;
        Ok(reservation)
    }

    /// Returns what all uploads take, with those that have ended since that was read.
    pub fn stored(&self) -> Option<u64> {
        let state = self.0.state.borrow();
        Some(state.stored.read?.saturating_add(state.stored.ended))
    }

    /// Returns what further uploads may take; `None` if nothing limits that.
    pub fn left(&self) -> Option<u64> {
        self.0.left(&self.0.state.borrow())
    }
}

impl Inner {
    fn left(&self, state: &State) -> Option<u64> {
        let RoomLimits {
            max_stored,
            min_free,
        } = self.limits;
        let quota = (max_stored > 0).then(|| {
            // While it is not known, nothing fits.
            let stored = state.stored.read.unwrap_or(u64::MAX);
            max_stored.saturating_sub(stored.saturating_add(state.stored.ended))
        });
        // A file system that does not tell what is free limits nothing.
        let disk = state.free.read.map(|free| {
            let ended = state.free.ended;
            free.saturating_sub(min_free).saturating_sub(ended)
        });
        let left = quota.into_iter().chain(disk).min()?;
        Some(left.saturating_sub(state.reserved))
    }
}

/// Room that is reserved for an upload under way, until it is dropped or has ended.
pub struct Reservation {
    room: Room,
    bytes: u64,
}

impl Reservation {
    /// Reserves more, unless it has as much.
    ///
    /// # Errors
    /// [`NoRoom`]; it keeps what it has.
    pub fn grow_to(&mut self, bytes: u64) -> Result<(), NoRoom> {
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        let inner = &self.room.0;
        let mut outcome = Ok(());
        inner.state.send_if_modified(|state| {
            let fits = inner.left(state).is_none_or(|left| more <= left);
            if fits {
                state.reserved += more;
                self.bytes = bytes;
            } else {
                outcome = Err(NoRoom);
                if !state.is_full {
                    tracing::warn!(
                        stored = state.stored.read,
                        free = state.free.read,
                        "uploads are refused: there is no room for them"
                    );
                }
            }
            state.is_full = !fits;
            // Nobody waits for this.
            false
        });
        outcome
    }

    /// Ends it: from now on the upload takes this much.
    pub fn end(self, bytes: u64) {
        self.room.0.state.send_if_modified(|state| {
            state.stored.ended += bytes;
            state.free.ended += bytes;
            false
        });
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.room.0.state.send_if_modified(|state| {
            state.reserved -= self.bytes;
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(max_stored: u64, min_free: u64) -> Room {
        Room::new(RoomLimits {
            max_stored,
            min_free,
        })
    }

    fn stores(room: &Room, bytes: u64) {
        room.set_stored(room.begin_stored(), Some(bytes));
    }

    fn has_free(room: &Room, bytes: u64) {
        room.set_free(room.begin_free(), Some(bytes));
    }

    #[test]
    fn uploads_under_way_and_those_that_have_ended_count() {
        let room = room(100, 0);
        stores(&room, 40);
        let first = room.reserve(30).unwrap();
        let mut second = room.reserve(20).unwrap();
        assert_eq!(room.left(), Some(10));
        assert_eq!(room.reserve(11).err(), Some(NoRoom));
        assert_eq!(second.grow_to(31), Err(NoRoom));
        second.grow_to(30).unwrap();
        assert_eq!(room.left(), Some(0));
        first.end(25);
        assert_eq!((room.stored(), room.left()), (Some(65), Some(5)));
        drop(second);
        assert_eq!(room.left(), Some(35));
    }

    #[test]
    fn a_reading_contains_what_ended_before_it_began() {
        let room = room(100, 0);
        stores(&room, 0);
        room.reserve(10).unwrap().end(10);
        let reading = room.begin_stored();
        room.reserve(20).unwrap().end(20);
        room.set_stored(reading, Some(10));
        assert_eq!(room.left(), Some(70));
        let reading = room.begin_stored();
        room.set_stored(reading, None);
        assert_eq!(room.left(), Some(70), "nothing was read");
        stores(&room, 30);
        assert_eq!((room.stored(), room.left()), (Some(30), Some(70)));
    }

    #[test]
    fn the_disk_limits_what_the_quota_allows() {
        let room = room(100, 50);
        stores(&room, 0);
        assert_eq!(room.left(), Some(100), "the disk is unknown");
        has_free(&room, 90);
        assert_eq!(room.left(), Some(40));
        room.reserve(30).unwrap().end(30);
        assert_eq!(room.left(), Some(10));
        has_free(&room, 20);
        assert_eq!(room.left(), Some(0));
        assert_eq!(room.reserve(1).err(), Some(NoRoom));
    }

    #[tokio::test]
    async fn nothing_fits_under_a_quota_until_it_is_known_what_is_stored() {
        let room = room(100, 0);
        assert_eq!(room.reserve(1).err(), Some(NoRoom));
        let waiting = tokio::spawn({
            let room = room.clone();
            async move { room.known().await }
        });
        stores(&room, 0);
        waiting.await.unwrap();
        assert!(room.reserve(1).is_ok());
    }

    #[tokio::test]
    async fn without_limits_everything_fits_at_once() {
        let room = room(0, 0);
        room.known().await;
        assert_eq!(room.left(), None);
        assert!(room.reserve(u64::MAX / 2).is_ok());
    }
}
