use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, error};

use super::error::{Failure, with_timeout};
use crate::store::StoreError;

/// How many uploads and messages may be on their way to the server, together at most 128 MiB of texts. When there are
/// more, further writes are refused at once with [`StoreError::Unavailable`].
const MAX_PENDING: usize = 16_384;

/// Runs writes in tasks of their own, which continue when the caller is cancelled.
pub(super) struct WriteTasks {
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Default for WriteTasks {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(MAX_PENDING)),
            tasks: TaskTracker::new(),
        }
    }
}

impl WriteTasks {
    /// Runs a job that writes `size` uploads or messages. It ends within the time that a call may take, so the pending
    /// jobs are limited in number and time.
    pub async fn run<T: Send + 'static>(
        &self,
        size: usize,
        job: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let size = u32::try_from(size.max(1)).unwrap_or(u32::MAX);
        let permits = Arc::clone(&self.permits)
            .try_acquire_many_owned(size)
            .map_err(|_| StoreError::Unavailable)?;
        let work = async move {
            let outcome = with_timeout(job).await;
            drop(permits);
            outcome
        };
        let task = self.tasks.spawn(work.instrument(Span::current()));
        task.await.unwrap_or_else(|error| {
            error!(%error, "a write to MongoDB panicked or was aborted");
            Err(StoreError::Unavailable)
        })
    }

    /// Refuses further writes and waits for those under way.
    pub async fn stop(&self) {
        self.permits.close();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
