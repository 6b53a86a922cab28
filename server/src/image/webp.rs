//! The walk over a WebP (RFC 9649): which of its chunks are served, and what decoding it will take.
//!
//! Served are images, their alpha, animation and the colour profile. EXIF, XMP and unknown chunks go, within frames
//! too, and so does what follows the container. Browsers do not turn a WebP, so its orientation is not looked at.

mod bitstream;
mod chunk;
pub(super) mod container;
mod extended;
pub(super) mod frame;

use self::bitstream::Bitstream;
use self::chunk::Chunk;
use self::container::{outline, riff};
use super::error::ImageError;
use super::outline::Outline;
use super::plan::Plan;
use super::source::Source;
use crate::config::ImageLimits;

/// Walks a WebP from its first byte.
pub(super) fn walk(source: &mut Source, limits: &ImageLimits) -> Result<Outline, ImageError> {
    source.skip(4)?;
    let len = u64::from(u32::from_le_bytes(source.array()?));
    source.skip(4)?;
    let end = 8 + len;
    // Cut short: the container promises more than there is.
    if len < 4 || end > source.position() + source.left() {
        return Err(source.damaged());
    }
    let first = Chunk::next(source, end)?;
    match &first.kind {
        b"VP8 " | b"VP8L" => simple(source, &first, limits),
        b"VP8X" => extended::walk(source, &first, end, limits),
        _ => Err(source.damaged()),
    }
}

/// A container that holds one image and nothing else.
fn simple(source: &mut Source, chunk: &Chunk, limits: &ImageLimits) -> Result<Outline, ImageError> {
    let bits = Bitstream::read(source, chunk)?;
    let mut body = Plan::default();
    chunk.keep(&mut body);
    limits.check_size(bits.width, bits.height)?;
    let frame = bits.frame(chunk.data.clone(), None);
    outline((bits.width, bits.height), vec![frame], riff(body))
}
