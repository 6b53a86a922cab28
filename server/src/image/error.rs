//! Why a file is not accepted.

use std::{fmt, io};

use app::model::MediaType;
use app::texts::{Language, ServerTexts, fill};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::format_name;

/// Why a file is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum ImageError {
    /// By its first bytes, it has none of the four types: 415.
    UnknownType,
    /// It cannot be decoded, is incomplete, or is invalid in its format: 422.
    Damaged(MediaType),
    /// It exceeds the limits, or takes too long to decode: 422.
    TooLarge(Excess),
    /// The node could not read or write its temporary files, or start or keep the process: 503.
    Unavailable,
    /// The image waited too long for its turn, or for memory: 503.
    Busy,
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words(Language::En.server_texts()))
    }
}

/// What there is too much of in an image, and the limit if it is a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Excess {
    /// One side.
    Side { width: u32, height: u32, max: u32 },
    /// All pixels.
    Pixels { width: u32, height: u32, max: u64 },
    /// Frames of an animation.
    Frames { max: u32 },
    /// Pixels of all frames of an animation.
    FramePixels { max: u64 },
    /// Memory for decoding.
    Memory,
    /// Time for decoding.
    Time,
    /// Chunks of a PNG.
    Chunks,
    /// Passes of a JPEG.
    Passes,
}

impl ImageError {
    /// The reason as a sentence for people.
    pub fn in_words(&self, texts: &ServerTexts) -> String {
        match self {
            Self::UnknownType => texts.image_unknown_type.to_owned(),
            Self::Damaged(format) => {
                let format = format_name::of(*format);
                fill(texts.image_damaged, &[("format", format)])
            }
            Self::TooLarge(excess) => excess.in_words(texts),
            Self::Unavailable | Self::Busy => texts.unavailable_detail.to_owned(),
        }
    }
}

impl Excess {
    fn in_words(&self, texts: &ServerTexts) -> String {
        let size = |text, width: &u32, height: &u32, max: String| {
            let (width, height) = (width.to_string(), height.to_string());
            let parts = [
                ("width", width.as_str()),
                ("height", &height),
                ("max", &max),
            ];
            fill(text, &parts)
        };
        let text = match self {
            Self::Side { width, height, max } => {
                return size(texts.image_too_long_side, width, height, max.to_string());
            }
            Self::Pixels { width, height, max } => {
                let max = pixels(*max, texts);
                return size(texts.image_too_many_pixels, width, height, max);
            }
            Self::Frames { max } => {
                return fill(texts.image_too_many_frames, &[("max", &max.to_string())]);
            }
            Self::FramePixels { max } => {
                return fill(
                    texts.image_frames_too_large,
                    &[("max", &pixels(*max, texts))],
                );
            }
            Self::Memory => texts.image_too_much_memory,
            Self::Time => texts.image_too_much_time,
            Self::Chunks => texts.image_too_many_chunks,
            Self::Passes => texts.image_too_many_passes,
        };
        text.to_owned()
    }
}

fn pixels(pixels: u64, texts: &ServerTexts) -> String {
    let (text, count) = if pixels < 1_000_000 {
        (texts.pixels, pixels)
    } else {
        (texts.megapixels, pixels / 1_000_000)
    };
    fill(text, &[("count", &count.to_string())])
}

/// Logs an error of a temporary file.
pub(super) fn unavailable(error: &io::Error) -> ImageError {
    tracing::warn!(%error, "an image's temporary file could not be read or written");
    ImageError::Unavailable
}
