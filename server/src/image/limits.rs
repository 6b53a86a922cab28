//! Limits of images, checked by their headers before anything is decoded.

use super::error::{Excess, ImageError};
use crate::config::ImageLimits;

/// The most memory that decoding an image may need by its headers, in bytes.
pub const IMAGE_MEMORY: u64 = 350 * MIB;

/// The longest colour profile, in bytes. Real ones have less than 2 MiB.
pub(super) const PROFILE_BYTES: u64 = 4 * MIB;

/// The longest EXIF data that are searched for the orientation, in bytes: what fits into one JPEG segment.
pub(super) const EXIF_BYTES: u64 = 64 * 1024;

pub(super) const MIB: u64 = 1024 * 1024;

impl ImageLimits {
    /// Checks an image's size in pixels.
    pub(super) fn check_size(&self, width: u32, height: u32) -> Result<(), ImageError> {
        if width > self.side || height > self.side {
            let max = self.side;
            return Err(ImageError::TooLarge(Excess::Side { width, height, max }));
        }
        if u64::from(width) * u64::from(height) > self.pixels {
            let max = self.pixels;
            return Err(ImageError::TooLarge(Excess::Pixels { width, height, max }));
        }
        Ok(())
    }

    /// Checks an animation's number of frames.
    pub(super) fn check_frames(&self, frames: u32) -> Result<(), ImageError> {
        if frames > self.frames {
            let max = self.frames;
            return Err(ImageError::TooLarge(Excess::Frames { max }));
        }
        Ok(())
    }
}

/// Counts the frames of an animation while its container is walked.
#[derive(Debug, Default)]
pub(super) struct FrameCounter {
    pub frames: u32,
    pixels: u64,
}

impl FrameCounter {
    /// Adds a frame of this size.
    pub fn add(&mut self, width: u32, height: u32, limits: &ImageLimits) -> Result<(), ImageError> {
        limits.check_size(width, height)?;
        self.frames = self.frames.saturating_add(1);
        limits.check_frames(self.frames)?;
        self.pixels = self
            .pixels
            .saturating_add(u64::from(width) * u64::from(height));
        if self.pixels > limits.animation_pixels && self.frames > 1 {
            let max = limits.animation_pixels;
            return Err(ImageError::TooLarge(Excess::FramePixels { max }));
        }
        Ok(())
    }
}

/// Checks how much memory decoding an image needs, in bytes.
pub(super) fn check_memory(bytes: u64) -> Result<(), ImageError> {
    if bytes > IMAGE_MEMORY {
        return Err(too_much_memory());
    }
    Ok(())
}

/// The error for an image that needs too much memory.
pub(super) fn too_much_memory() -> ImageError {
    ImageError::TooLarge(Excess::Memory)
}

/// The error for an image that takes too long.
pub(super) fn too_much_time() -> ImageError {
    ImageError::TooLarge(Excess::Time)
}
