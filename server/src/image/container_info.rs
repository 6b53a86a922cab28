//! The result of walking an image's container, before anything is decoded.

use app::model::MediaType;

use super::error::ImageError;
use super::jpeg::frame::Frame;
use super::limits::check_memory;
use super::orientation::Orientation;
use super::plan::Plan;
use super::webp::frame::Frame as WebPFrame;

/// The data of an image's container.
#[derive(Debug)]
pub(super) struct ContainerInfo {
    /// The coded width, in pixels.
    pub width: u32,
    /// The coded height, in pixels.
    pub height: u32,
    /// How it is rotated for display.
    pub orientation: Orientation,
    /// How many frames are to be decoded.
    pub frames: u32,
    /// The most memory that decoding needs, in bytes.
    pub memory: u64,
    /// The parts of the file that are served.
    pub plan: Plan,
    /// What the decoder needs to know of the container.
    pub coding: Coding,
}

/// What a decoder needs to know of the container.
#[derive(Debug)]
pub(super) enum Coding {
    /// GIF: nothing.
    Plain,
    /// JPEG.
    Jpeg(JpegCoding),
    /// PNG.
    Png {
        /// What to serve instead of an animation that turns out to be damaged, if it has a still image.
        still: Option<Plan>,
    },
    /// WebP: where its images are.
    WebP(Vec<WebPFrame>),
}

/// How a JPEG is coded.
#[derive(Debug)]
pub(super) struct JpegCoding {
    pub frame: Frame,
    /// Whether a decoder holds all coefficients, since there are several scans.
    pub is_buffered: bool,
    /// Whether three components are what they usually are: brightness and two colour differences.
    pub has_usual_colours: bool,
}

impl ContainerInfo {
    /// Fails if it is too large to be decoded, or has too many parts.
    pub fn checked(self, media_type: MediaType) -> Result<Self, ImageError> {
        check_memory(self.memory)?;
        if self.plan.is_overlong() || self.frames == 0 {
            return Err(ImageError::Damaged(media_type));
        }
        Ok(self)
    }
}
