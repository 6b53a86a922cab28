//! Where a coded picture lies in a WebP, and what decoding it takes.

use std::ops::Range;

use crate::image::limits::MIB;

/// One coded picture: the whole image, or a frame of an animation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::image) struct Frame {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Whether it is VP8L rather than VP8.
    pub is_lossless: bool,
    /// The VP8 or VP8L data.
    pub image: Range<u64>,
    /// The data of the alpha chunk, if there is one.
    pub alpha: Option<Range<u64>>,
}

impl Frame {
    /// Bytes that decoding needs at most.
    pub(super) fn memory(&self) -> u64 {
        let pixels = u64::from(self.width.next_multiple_of(16))
            * u64::from(self.height.next_multiple_of(16));
        // Four bytes a pixel, transforms at a quarter of the size, and code tables.
        let lossless = pixels * 5 + 64 * MIB;
        // Three bytes a pixel, three planes, and the coded data twice.
        let lossy = pixels * 9 / 2 + 2 * (self.image.end - self.image.start) + MIB;
        match (self.is_lossless, &self.alpha) {
            (true, _) => lossless,
            (false, None) => lossy,
            // Alpha and colour are decoded one after the other.
            (false, Some(_)) => lossy.max(lossless),
        }
    }
}
