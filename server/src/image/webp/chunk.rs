//! Chunks of a WebP.

use std::ops::Range;

use crate::image::error::ImageError;
use crate::image::plan::Plan;
use crate::image::source::Source;

/// A chunk whose data come next.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub kind: [u8; 4],
    pub data: Range<u64>,
}

impl Chunk {
    /// Reads the next chunk's start. The chunk must end within its parent.
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

    /// Returns the length of its data.
    pub fn len(&self) -> u64 {
        self.data.end - self.data.start
    }

    /// Skips the rest of its data, and the padding, which some encoders omit at the end.
    pub fn skip_rest(&self, source: &mut Source, parent_end: u64) -> Result<(), ImageError> {
        let padded = (self.data.end + self.len() % 2).min(parent_end);
        source.skip(padded - source.position())
    }

    /// Appends it to the plan, padded.
    pub fn append_to(&self, plan: &mut Plan) {
        plan.copy(self.data.start - 8..self.data.end);
        if self.len() % 2 == 1 {
            plan.write(&[0]);
        }
    }
}
