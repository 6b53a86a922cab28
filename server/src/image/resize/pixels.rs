//! A decoded image.

/// Decoded pixels of 8 bits a sample, row by row: grey, grey with alpha, RGB, or RGBA.
pub(super) struct Pixels {
    pub width: u32,
    pub height: u32,
    /// Samples of a pixel: 1 to 4.
    pub channels: usize,
    pub bytes: Vec<u8>,
}

/// An image's pixels and its colour profile.
pub(super) struct Picture {
    pub pixels: Pixels,
    pub profile: Option<Vec<u8>>,
}

impl Pixels {
    pub fn has_alpha(&self) -> bool {
        self.channels.is_multiple_of(2)
    }
}
