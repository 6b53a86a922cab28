//! Walks the chunks of a WebP (RFC 9649), plans which are served, and finds out what decoding it takes.
//!
//! Images, their alpha, animation and the colour profile are served; EXIF, XMP and unknown chunks are not, also within
//! frames, nor is anything after the container. Browsers do not rotate WebP images, so the orientation is ignored.

mod bitstream;
mod chunk;
pub(super) mod container;
mod extended;
pub(super) mod frame;

use self::bitstream::BitstreamHeader;
use self::chunk::Chunk;
use self::container::{describe, riff};
use super::container_info::ContainerInfo;
use super::error::ImageError;
use super::plan::Plan;
use super::source::Source;
use crate::config::ImageLimits;

/// Walks a WebP from its first byte.
pub(super) fn walk(source: &mut Source, limits: &ImageLimits) -> Result<ContainerInfo, ImageError> {
    source.skip(4)?;
    let len = u64::from(u32::from_le_bytes(source.array()?));
    source.skip(4)?;
    let end = 8 + len;
    // Incomplete: the container is longer than the file.
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

/// Walks a container with one image and nothing else.
fn simple(
    source: &mut Source,
    chunk: &Chunk,
    limits: &ImageLimits,
) -> Result<ContainerInfo, ImageError> {
    let bits = BitstreamHeader::read(source, chunk)?;
    let mut body = Plan::default();
    chunk.append_to(&mut body);
    limits.check_size(bits.width, bits.height)?;
    let frame = bits.frame(chunk.data.clone(), None);
    describe((bits.width, bits.height), vec![frame], riff(body))
}
