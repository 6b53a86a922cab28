//! Locks, atomic numbers and tasks of what several threads share. A unit test may have [shuttle](https://docs.rs/shuttle)
//! schedule them: it runs a test again and again, and decides each time anew which thread goes on at each of them. All
//! others use those of the standard library and of Tokio.

#[cfg(test)]
mod explored;

#[cfg(test)]
pub use self::explored::*;

#[cfg(not(test))]
pub use std::sync::atomic::{AtomicU64, AtomicUsize};
#[cfg(not(test))]
pub use std::sync::{Mutex, MutexGuard};

use tokio_util::task::TaskTracker;

/// Spawns a task that `tasks` tracks.
#[cfg(not(test))]
pub fn spawn<F>(tasks: &TaskTracker, work: F)
where
    F: Future<Output: Send> + Send + 'static,
{
    tasks.spawn(work);
}

/// Spawns a task that `tasks` tracks; within [`explore`] it is one of shuttle's.
#[cfg(test)]
pub fn spawn<F>(tasks: &TaskTracker, work: F)
where
    F: Future<Output: Send> + Send + 'static,
{
    if is_exploring() {
        shuttle::future::spawn(tasks.track_future(work));
    } else {
        tasks.spawn(work);
    }
}
