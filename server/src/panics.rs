//! What becomes of a node when one of its own tasks panics.

use std::thread;

use tokio_util::sync::CancellationToken;

/// Does work that a node cannot be without, such as writing a room's frames. If it panics, `stopping` is cancelled: the
/// node stops with an error, whatever supervises it starts it anew, and its clients resume at another node meanwhile.
/// Without that, a room would stay silent while its sockets look alive.
pub async fn stop_on_panic<T>(stopping: CancellationToken, work: impl Future<Output = T>) -> T {
    let _guard = StopOnPanic(stopping);
    work.await
}

struct StopOnPanic(CancellationToken);

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_stops_the_node_and_an_end_does_not() {
        let stopping = CancellationToken::new();
        let work = stop_on_panic(stopping.clone(), async { 1 });
        assert_eq!(tokio::spawn(work).await.unwrap(), 1);
        // One that is given up, as at the end of the program, has not failed either.
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
}
