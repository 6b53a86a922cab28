//! The first bytes of VP8 and VP8L data: what they say of size and alpha.

use std::ops::Range;

use super::Frame;
use super::chunk::Chunk;
use crate::image::ImageError;
use crate::image::source::Source;

/// What coded data say of themselves.
#[derive(Debug)]
pub(super) struct Bitstream {
    pub width: u32,
    pub height: u32,
    pub is_lossless: bool,
    pub has_alpha: bool,
}

impl Bitstream {
    /// Reads the header of a chunk's data, which come next.
    pub fn read(source: &mut Source, chunk: &Chunk) -> Result<Self, ImageError> {
        let bits = if chunk.kind == *b"VP8L" {
            Self::lossless(source, chunk)?
        } else {
            Self::lossy(source, chunk)?
        };
        bits.ok_or_else(|| source.damaged())
    }

    /// RFC 9649, section 3.4: a signature, two sizes of 14 bits less one, a bit for alpha, a version.
    fn lossless(source: &mut Source, chunk: &Chunk) -> Result<Option<Self>, ImageError> {
        if chunk.len() < 5 || source.byte()? != 0x2f {
            return Ok(None);
        }
        let header = u32::from_le_bytes(source.array()?);
        Ok((header >> 29 == 0).then_some(Self {
            width: (header & 0x3fff) + 1,
            height: (header >> 14 & 0x3fff) + 1,
            is_lossless: true,
            has_alpha: header >> 28 & 1 == 1,
        }))
    }

    /// RFC 6386, section 9.1: the tag of a key frame, a start code, two sizes of 14 bits.
    fn lossy(source: &mut Source, chunk: &Chunk) -> Result<Option<Self>, ImageError> {
        if chunk.len() < 10 {
            return Ok(None);
        }
        let [tag, _, _, start @ ..] = source.array::<6>()?;
        let [width, height] = [source.array()?, source.array()?]
            .map(|side| u32::from(u16::from_le_bytes(side) & 0x3fff));
        let is_key_frame = tag & 1 == 0 && start == [0x9d, 0x01, 0x2a];
        Ok((is_key_frame && width > 0 && height > 0).then_some(Self {
            width,
            height,
            is_lossless: false,
            has_alpha: false,
        }))
    }

    /// The picture that lies in these bytes.
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
