use std::time::Duration;

use app::model::{ShortId, Timestamp, Upload, UploadId};
use tokio::time::Instant;

use crate::clock;

/// What a room has to know of its upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchedUpload {
    /// Its id.
    pub topic: UploadId,
    /// Its short id.
    pub short_id: ShortId,
    /// When it expires, if it does.
    pub expires_at: Option<Timestamp>,
}

impl From<&Upload> for WatchedUpload {
    fn from(upload: &Upload) -> Self {
        Self {
            topic: upload.id,
            short_id: upload.short_id,
            expires_at: upload.expires_at,
        }
    }
}

impl WatchedUpload {
    /// When it expires by the clock of timers.
    pub(super) fn expires(&self) -> Option<Instant> {
        let left = self.expires_at?.unix_millis() - clock::now().unix_millis();
        let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
        Instant::now().checked_add(left)
    }
}
