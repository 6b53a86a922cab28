//! The fastest decode of a JPEG that a maintained library in Rust does.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use zune_core::bytestream::ZCursor;
use zune_jpeg::JpegDecoder;

/// Decodes a picture to RGB; how long it took.
pub fn once(picture: &[u8]) -> Result<Duration> {
    let start = Instant::now();
    let mut decoder = JpegDecoder::new(ZCursor::new(picture));
    let pixels = decoder.decode().map_err(|error| anyhow!("{error:?}"))?;
    black_box(pixels);
    Ok(start.elapsed())
}
