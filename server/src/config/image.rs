//! Limits of images, and the arguments of the process that checks one.

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
