//! What a walk over a picture's container finds, before anything is decoded.

use super::error::ImageError;
use super::limits::check_memory;
use super::orientation::Orientation;
use super::plan::Plan;
use super::webp::frame::Frame;

/// A picture by its container.
#[derive(Debug)]
pub(super) struct Outline {
    /// Pixels across as coded.
    pub width: u32,
    /// Pixels down as coded.
    pub height: u32,
    /// How it is turned to be shown.
    pub orientation: Orientation,
    /// How many frames there are to decode.
    pub frames: u32,
    /// Bytes that decoding it needs at most.
    pub memory: u64,
    /// What of the file is served.
    pub plan: Plan,
    /// What its decoder cannot find out by itself.
    pub coding: Coding,
}

/// What a decoder has to be told.
#[derive(Debug)]
pub(super) enum Coding {
    /// JPEG and GIF: nothing.
    Plain,
    /// PNG.
    Png {
        /// What is served of an animation that turns out not to be sound, but has a still picture of its own.
        still: Option<Plan>,
    },
    /// WebP: where its images lie.
    WebP(Vec<Frame>),
}

impl Outline {
    /// Refuses what is too large to decode or to describe.
    pub fn checked(self, format: &'static str) -> Result<Self, ImageError> {
        check_memory(self.memory)?;
        if self.plan.is_overlong() || self.frames == 0 {
            return Err(ImageError::Damaged(format));
        }
        Ok(self)
    }
}
