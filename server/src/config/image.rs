//! Limits of images, and the arguments of the processes that check and resize one.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::values::number;

/// The subcommand that checks one image.
pub const INSPECT_IMAGE: &str = "inspect-image";

/// The arguments of the subcommand.
#[derive(Debug, Args)]
pub struct InspectImage {
    /// The uploaded file.
    pub input: PathBuf,
    /// An existing empty file for what may be served.
    pub output: PathBuf,
    /// `ImageLimits` as JSON.
    #[arg(value_parser = parse_limits)]
    pub limits: ImageLimits,
}

/// The subcommand that makes a smaller picture of an image.
pub const RESIZE_IMAGE: &str = "resize-image";

/// The arguments of that subcommand.
#[derive(Debug, Args)]
pub struct ResizeImage {
    /// An image that was checked.
    pub input: PathBuf,
    /// An existing empty file for the smaller picture.
    pub output: PathBuf,
    /// `ImageLimits` as JSON.
    #[arg(value_parser = parse_limits)]
    pub limits: ImageLimits,
    /// `PictureSpec` as JSON.
    #[arg(value_parser = parse_spec)]
    pub spec: PictureSpec,
}

/// What a smaller picture must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PictureSpec {
    /// At most so many pixels wide, and smaller than the image in bytes: a JPEG, or a WebP where there is transparency.
    MaxWidth(u32),
    /// A JPEG for link previews, also of an animation's first frame: fits into so many pixels, and has at most so many
    /// bytes.
    Preview {
        /// The largest width and height, in pixels.
        into: (u32, u32),
        /// The most bytes.
        bytes: u64,
    },
    /// A JPEG that is shown blurred until the image is there, of one that is neither animated nor transparent: as
    /// [`PictureSpec::Preview`], but without a colour profile.
    Placeholder {
        /// The largest width and height, in pixels.
        into: (u32, u32),
        /// The most bytes.
        bytes: u64,
    },
}

fn parse_spec(json: &str) -> Result<PictureSpec, serde_json::Error> {
    serde_json::from_str(json)
}

fn parse_limits(json: &str) -> Result<ImageLimits, serde_json::Error> {
    serde_json::from_str(json)
}

/// Four times what the largest image takes (64 megapixels: 2.5 s in a release build on one core of a small machine),
/// for slower or busy machines. An animation of 400 megapixels could take 20 s.
const DECODE_TIME: Duration = Duration::from_secs(10);
/// With higher limits, one image could keep a decoder busy for minutes.
const MAX_PIXELS: u64 = 1_000_000_000;
const MAX_ANIMATION_PIXELS: u64 = 100_000_000_000;

/// The limits of an image.
#[derive(Debug, Clone, Copy, Args, Serialize, Deserialize)]
pub struct ImageLimits {
    /// Maximum pixels of an image
    // And of each frame.
    #[arg(long = "max-pixels", env = "TONESA_MAX_PIXELS", value_name = "PIXELS",
        default_value_t = ImageLimits::default().pixels, value_parser = number(1..=MAX_PIXELS))]
    pub pixels: u64,
    /// Maximum pixels of all frames of an animation together
    #[arg(long = "max-animation-pixels", env = "TONESA_MAX_ANIMATION_PIXELS", value_name = "PIXELS",
        default_value_t = ImageLimits::default().animation_pixels, value_parser = number(1..=MAX_ANIMATION_PIXELS))]
    pub animation_pixels: u64,
    /// Pixels along one side.
    #[arg(skip = ImageLimits::default().side)]
    pub side: u32,
    /// Frames of an animation.
    #[arg(skip = ImageLimits::default().frames)]
    pub frames: u32,
    /// How long decoding may take, for all frames together. It is checked between steps, so that the largest image of
    /// an animation may exceed it by some 2 s.
    #[arg(skip = ImageLimits::default().time)]
    pub time: Duration,
}

impl Default for ImageLimits {
    fn default() -> Self {
        Self {
            pixels: 64_000_000,
            animation_pixels: 400_000_000,
            side: 16_384,
            frames: 1_000,
            time: DECODE_TIME,
        }
    }
}
