use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, error};

use super::error::{Failure, in_time};
use crate::store::StoreError;

/// Uploads and messages that may be on their way to the server, together at most 128 MiB of texts. When they are as
/// many, further writes are refused at once with [`StoreError::Unavailable`].
const MAX_WAITING: usize = 16_384;

/// Writes in tasks of their own, which go on when nobody waits for them any more.
pub(super) struct Writes {
    room: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Default for Writes {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(MAX_WAITING)),
            tasks: TaskTracker::new(),
        }
    }
}

impl Writes {
    /// Does a job that writes `size` uploads or messages. It ends within the time that a call may take, so what waits
    /// is bounded in number and time.
    pub async fn run<T: Send + 'static>(
        &self,
        size: usize,
        job: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let size = u32::try_from(size.max(1)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room)
            .try_acquire_many_owned(size)
            .map_err(|_| StoreError::Unavailable)?;
        let work = async move {
            let outcome = in_time(job).await;
            drop(room);
            outcome
        };
        let task = self.tasks.spawn(work.instrument(Span::current()));
        task.await.unwrap_or_else(|error| {
            error!(%error, "a write to MongoDB panicked or was cut off");
            Err(StoreError::Unavailable)
        })
    }

    /// Refuses further writes and waits for those under way.
    pub async fn stop(&self) {
        self.room.close();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
