//! What comes of looking for a picture, and of making one.

use std::fs::File;
use std::sync::Arc;

use crate::blob::ByteStream;

/// A picture that was found.
pub struct Picture {
    /// How many bytes it has.
    pub size: u64,
    /// Its bytes.
    pub bytes: ByteStream,
}

/// What has become of making a picture.
#[derive(Clone)]
pub(super) enum Outcome {
    /// It was stored already.
    AlreadyStored,
    /// The image itself is to be shown.
    UseOriginal,
    /// Its bytes, and how many there are. The file may have no name any more.
    New(Arc<File>, u64),
}

/// What has become of resizing an image.
pub(super) struct Resized {
    pub outcome: Outcome,
    /// Whether it is in the blob store now.
    pub is_stored: bool,
}

impl Resized {
    /// There is none now, which is not remembered in the blob store.
    pub fn none_for_now() -> Self {
        Self {
            outcome: Outcome::UseOriginal,
            is_stored: false,
        }
    }
}
