use serde::Serialize;

use super::shared::Shared;

/// What serves as which backend, by the names that people know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Kinds {
    /// Uploads and messages.
    pub store: &'static str,
    /// Image bytes.
    pub blobs: &'static str,
    /// Frames between nodes.
    pub broker: &'static str,
}

impl Shared {
    /// What these settings choose.
    pub fn kinds(&self) -> Kinds {
        let chosen = |is_set, shared, own| if is_set { shared } else { own };
        Kinds {
            store: chosen(self.mongo_url.is_some(), "mongodb", "sqlite"),
            blobs: chosen(self.s3.is_some(), "s3", "folder"),
            broker: chosen(self.redis_url.is_some(), "redis", "memory"),
        }
    }
}
