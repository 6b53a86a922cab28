//! When a store was put back to a backup: what was stored in between is lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use app::model::Timestamp;

/// The backups of a store that were restored; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Restores(Arc<Mutex<Vec<Interval>>>);

/// From a backup to its restore. The only node of the store runs at neither moment: the time of a message, which is the
/// node's, says whether the message is in the backup, lost, or of the history after the restore.
#[derive(Debug, Clone, Copy)]
struct Interval {
    backup: Timestamp,
    /// `None` until it is restored.
    restore: Option<Timestamp>,
}

impl Restores {
    /// The store is copied now.
    pub fn on_backup(&self) {
        self.lock().push(Interval {
            backup: now(),
            restore: None,
        });
    }

    /// The newest copy is put back now.
    pub fn on_restore(&self) {
        if let Some(interval) = self.lock().last_mut() {
            interval.restore = Some(now());
        }
    }

    /// Whether the store was ever put back.
    pub fn is_restored(&self) -> bool {
        self.lock().iter().any(|it| it.restore.is_some())
    }

    /// Whether a message of that time is lost.
    pub fn is_lost(&self, created_at: Timestamp) -> bool {
        let has_lost = |it: &Interval| {
            it.backup <= created_at && it.restore.is_some_and(|restore| created_at < restore)
        };
        self.lock().iter().any(has_lost)
    }

    /// Whether what was stored at some time between these may be lost.
    pub fn may_have_lost(&self, [begin, end]: [Timestamp; 2]) -> bool {
        let overlaps = |it: &Interval| begin < it.restore.unwrap_or(it.backup) && it.backup <= end;
        self.lock().iter().any(overlaps)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Interval>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Restores between these times.
    #[cfg(test)]
    pub fn between(intervals: impl IntoIterator<Item = [Timestamp; 2]>) -> Self {
        let interval = |[backup, restore]: [Timestamp; 2]| Interval {
            backup,
            restore: Some(restore),
        };
        Self(Arc::new(Mutex::new(
            intervals.into_iter().map(interval).collect(),
        )))
    }
}

/// The time of this machine, which is that of the nodes.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.ok().and_then(|it| i64::try_from(it.as_millis()).ok());
    millis
        .and_then(Timestamp::from_unix_millis)
        .expect("the clock is between 1970 and 9999")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis).unwrap()
    }

    #[test]
    fn what_was_stored_between_a_backup_and_its_restore_is_lost() {
        let restores = Restores::between([[at(10), at(20)], [at(30), at(40)]]);
        let is_lost = [9, 10, 19, 20, 29, 30, 40].map(|time| restores.is_lost(at(time)));
        assert_eq!(is_lost, [false, true, true, false, false, true, false]);
        let times = [[8, 9], [9, 10], [12, 15], [19, 25], [20, 25], [5, 45]];
        let may = times.map(|times| restores.may_have_lost(times.map(at)));
        assert_eq!(may, [false, true, true, true, false, true]);
    }

    #[test]
    fn a_backup_that_is_not_put_back_loses_nothing() {
        let restores = Restores::default();
        restores.on_backup();
        assert!(!restores.is_restored());
        assert!(!restores.is_lost(now()));
    }
}
