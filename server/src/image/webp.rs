//! The walk over a WebP (RFC 9649): which of its chunks are served, and what decoding it will take.
//!
//! Served are images, their alpha, animation and the colour profile. EXIF, XMP and unknown chunks go, within frames
//! too, and so does what follows the container. Browsers do not turn a WebP, so its orientation is not looked at.

mod bitstream;
mod chunk;
mod extended;

use std::ops::Range;

use self::bitstream::Bitstream;
use self::chunk::Chunk;
use super::ImageError;
use super::limits::{Limits, MIB};
use super::orientation::Orientation;
use super::outline::{Coding, Outline};
use super::plan::Plan;
use super::source::Source;

/// The name of the format in what people are told.
pub(super) const NAME: &str = "WebP";

/// One coded picture: the whole image, or a frame of an animation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
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
    fn memory(&self) -> u64 {
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

/// Walks a WebP from its first byte.
pub(super) fn walk(source: &mut Source, limits: &Limits) -> Result<Outline, ImageError> {
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
fn simple(source: &mut Source, chunk: &Chunk, limits: &Limits) -> Result<Outline, ImageError> {
    let bits = Bitstream::read(source, chunk)?;
    let mut body = Plan::default();
    chunk.keep(&mut body);
    limits.check_size(bits.width, bits.height)?;
    let frame = bits.frame(chunk.data.clone(), None);
    outline((bits.width, bits.height), vec![frame], riff(body))
}

fn outline(
    (width, height): (u32, u32),
    frames: Vec<Frame>,
    plan: Plan,
) -> Result<Outline, ImageError> {
    Ok(Outline {
        width,
        height,
        orientation: Orientation::default(),
        frames: frames
            .len()
            .try_into()
            .map_err(|_| ImageError::Damaged(NAME))?,
        memory: frames.iter().map(Frame::memory).max().unwrap_or(0),
        plan,
        coding: Coding::WebP(frames),
    })
}

/// A container around these chunks.
pub(super) fn riff(chunks: Plan) -> Plan {
    let mut plan = Plan::default();
    plan.write(b"RIFF");
    plan.write(&length(4 + chunks.len()));
    plan.write(b"WEBP");
    plan.append(chunks);
    plan
}

/// A chunk's length as it is written. What is kept of a container is never longer than its own 32-bit length.
pub(super) fn length(len: u64) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}
