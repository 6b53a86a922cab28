//! What stands in a page, blurred, until its picture has loaded: a tiny picture, of which the page contains the bytes.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Images of fewer bytes have none.
pub(super) const MIN_IMAGE_BYTES: u64 = 20_000;
/// The largest width and height of one, in pixels.
pub(super) const BOX: (u32, u32) = (24, 24);
/// The most bytes of one: with all that a page needs to show it, it takes less than 1 kB there.
pub(super) const MAX_BYTES: u64 = 600;

/// What stands in a page until its picture has loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placeholder {
    /// A picture, as a `data:` URL.
    Picture(Arc<str>),
    /// Nothing yet: it was never made.
    Expected,
    /// Nothing.
    None,
}

impl Placeholder {
    /// The one with these bytes. Of what none can be made, an empty one is stored.
    pub(super) fn new(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::None;
        }
        let url = format!("data:image/jpeg;base64,{}", BASE64.encode(bytes));
        Self::Picture(url.into())
    }

    /// Returns the URL of the picture, if there is one.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Picture(url) => Some(url),
            Self::Expected | Self::None => None,
        }
    }
}
