//! The headers of VP8 and VP8L data: the size, and whether something is displayed.

use std::ops::Range;

use super::chunk::Chunk;
use super::frame::Frame;
use crate::image::error::ImageError;
use crate::image::source::Source;

/// What the header says.
#[derive(Debug)]
pub(super) struct BitstreamHeader {
    pub width: u32,
    pub height: u32,
    pub is_lossless: bool,
}

impl BitstreamHeader {
    /// Reads the header of a chunk's data, which come next.
    pub fn read(source: &mut Source, chunk: &Chunk) -> Result<Self, ImageError> {
        let bits = if chunk.kind == *b"VP8L" {
            Self::lossless(source, chunk)?
        } else {
            Self::lossy(source, chunk)?
        };
        bits.ok_or_else(|| source.damaged())
    }

    /// Parses a VP8L header (RFC 9649, section 3.4): a signature, width - 1 and height - 1 in 14 bits each, a bit for
    /// alpha, a version.
    fn lossless(source: &mut Source, chunk: &Chunk) -> Result<Option<Self>, ImageError> {
        if chunk.len() < 5 || source.byte()? != 0x2f {
            return Ok(None);
        }
        let header = u32::from_le_bytes(source.array()?);
        Ok((header >> 29 == 0).then_some(Self {
            width: (header & 0x3fff) + 1,
            height: (header >> 14 & 0x3fff) + 1,
            is_lossless: true,
        }))
    }

    /// Parses a VP8 header (RFC 6386, section 9.1): a tag, a start code, two sizes of 14 bits. The tag says whether it
    /// is a key frame (bit 0 is 0), the version (3 bits), whether it is shown (1 bit), and the length of the first
    /// partition. Browsers check all of them.
    fn lossy(source: &mut Source, chunk: &Chunk) -> Result<Option<Self>, ImageError> {
        if chunk.len() < 10 {
            return Ok(None);
        }
        let [low, middle, high, start @ ..] = source.array::<6>()?;
        let tag = u32::from_le_bytes([low, middle, high, 0]);
        let [width, height] = [source.array()?, source.array()?]
            .map(|side| u32::from(u16::from_le_bytes(side) & 0x3fff));
        let is_key_frame = tag & 1 == 0 && start == [0x9d, 0x01, 0x2a];
        let is_known = tag >> 1 & 7 <= 3;
        let is_shown = tag >> 4 & 1 == 1;
        let is_held = u64::from(tag >> 5) < chunk.len();
        let is_valid = is_key_frame && is_known && is_shown && is_held;
        Ok((is_valid && width > 0 && height > 0).then_some(Self {
            width,
            height,
            is_lossless: false,
        }))
    }

    /// Makes the frame whose data are at this range.
    pub fn frame(&self, image: Range<u64>, alpha: Option<Range<u64>>) -> Frame {
        Frame {
            width: self.width,
            height: self.height,
            is_lossless: self.is_lossless,
            image,
            alpha,
        }
    }
}
