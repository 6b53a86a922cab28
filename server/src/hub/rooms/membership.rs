use app::model::{ShortId, UploadId, UploadRef};

/// A socket's membership of a room, ended by `leave`.
#[derive(Debug)]
pub struct Membership {
    pub(super) topic: UploadId,
    pub(super) short_id: ShortId,
    pub(super) slot: usize,
    /// The room's id: a later room of the same topic has another.
    pub(super) room_id: u64,
}

impl Membership {
    /// The topic.
    pub fn topic(&self) -> UploadId {
        self.topic
    }

    /// Whether `upload` is the id or the short id of the topic's upload.
    pub fn is_of(&self, upload: UploadRef) -> bool {
        match upload {
            UploadRef::Id(id) => self.topic == id,
            UploadRef::Short(short_id) => self.short_id == short_id,
        }
    }
}
