//! The position of a coded image in a WebP, and the memory for decoding it.

use std::ops::Range;

use crate::image::limits::MIB;

/// A coded image: the whole WebP, or a frame of an animation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::image) struct Frame {
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// Whether it is VP8L rather than VP8.
    pub is_lossless: bool,
    /// The VP8 or VP8L data.
    pub image: Range<u64>,
    /// The data of the alpha chunk, if there is one.
    pub alpha: Option<Range<u64>>,
}

impl Frame {
    /// Returns the most memory for decoding it, in bytes.
    pub(super) fn memory(&self) -> u64 {
        let pixels = u64::from(self.width.next_multiple_of(16))
            * u64::from(self.height.next_multiple_of(16));
        // Four bytes per pixel, transforms at a quarter of the size, and code tables.
        let lossless = pixels * 5 + 64 * MIB;
        // Three bytes per pixel, three planes, and the coded data twice.
        let lossy = pixels * 9 / 2 + 2 * (self.image.end - self.image.start) + MIB;
        match (self.is_lossless, &self.alpha) {
            (true, _) => lossless,
            (false, None) => lossy,
            // Alpha and colour are decoded one after the other.
            (false, Some(_)) => lossy.max(lossless),
        }
    }
}
