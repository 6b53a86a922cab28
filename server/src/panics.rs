//! What becomes of a node when one of its own tasks panics, which is a defect. The hook that `app::logs` sets logs it.

use std::panic::AssertUnwindSafe;
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The pause before work that has panicked is begun anew.
const RESTART_PAUSE: Duration = Duration::from_mins(1);

/// Does work that a node cannot be without, such as writing a room's frames. If it panics, `stopping` is cancelled: the
/// node stops with an error and is started anew, and its clients resume at another node, or at this one once it is back.
pub async fn stop_on_panic<T>(stopping: CancellationToken, work: impl Future<Output = T>) -> T {
    let _guard = CancelOnPanic(&stopping);
    work.await
}

/// Unlike the token's own guard it does not cancel when work is given up, as that of a Redis server that has left the
/// cluster is.
pub struct CancelOnPanic<'a>(pub &'a CancellationToken);

impl Drop for CancelOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.cancel();
        }
    }
}

/// Does work that a node can be without for a while, such as sweeping. If it panics it is begun anew, after a minute.
/// The cause may be in the storage: then it concerns all nodes, and they would stop together, again and again.
pub async fn restart_on_panic<F: Future<Output = ()>>(work: impl Fn() -> F) {
    while AssertUnwindSafe(work()).catch_unwind().await.is_err() {
        sleep(RESTART_PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_panic_stops_the_node_and_an_end_does_not() {
        let stopping = CancellationToken::new();
        let work = stop_on_panic(stopping.clone(), async { 1 });
        assert_eq!(tokio::spawn(work).await.unwrap(), 1);
        let work = tokio::spawn(stop_on_panic(
            stopping.clone(),
            std::future::pending::<()>(),
        ));
        tokio::task::yield_now().await;
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        assert!(!stopping.is_cancelled());
        let work = stop_on_panic(stopping.clone(), async { panic!("as by a defect") });
        assert!(tokio::spawn(work).await.unwrap_err().is_panic());
        assert!(stopping.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_panics_is_begun_anew_until_it_ends() {
        let (begin, times) = (Instant::now(), Cell::new(0));
        let work = async || {
            times.set(times.get() + 1);
            assert!(times.get() > 2, "as by a defect");
        };
        restart_on_panic(work).await;
        assert_eq!((times.get(), begin.elapsed()), (3, 2 * RESTART_PAUSE));
    }
}
