//! Chunks, of which a WebP consists.

use std::ops::Range;

use crate::image::error::ImageError;
use crate::image::plan::Plan;
use crate::image::source::Source;

/// A chunk whose data are read next.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub kind: [u8; 4],
    pub data: Range<u64>,
}

impl Chunk {
    /// The next chunk, which must end within its parent.
    pub fn next(source: &mut Source, parent_end: u64) -> Result<Self, ImageError> {
        if parent_end.saturating_sub(source.position()) < 8 {
            return Err(source.damaged());
        }
        let kind = source.array()?;
        let len = u64::from(u32::from_le_bytes(source.array()?));
        let data = source.position()..source.position() + len;
        if data.end > parent_end {
            return Err(source.damaged());
        }
        Ok(Self { kind, data })
    }

    /// Bytes of data.
    pub fn len(&self) -> u64 {
        self.data.end - self.data.start
    }

    /// Passes over what has not been read of it, and the padding, which some writers leave out at the end.
    pub fn leave(&self, source: &mut Source, parent_end: u64) -> Result<(), ImageError> {
        let padded = (self.data.end + self.len() % 2).min(parent_end);
        source.skip(padded - source.position())
    }

    /// Adds it to what is served, padded.
    pub fn keep(&self, plan: &mut Plan) {
        plan.copy(self.data.start - 8..self.data.end);
        if self.len() % 2 == 1 {
            plan.write(&[0]);
        }
    }
}
