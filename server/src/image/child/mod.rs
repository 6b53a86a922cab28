//! Pictures are checked in a process of their own, whose memory and time the kernel limits: a decoder that a file makes
//! run wild ends that process and nothing else.
//!
//! The node starts its own program again with the hidden subcommand `inspect-image`, without its environment. The two
//! speak in lines of JSON: the child reports what the picture's headers ask for ([`Report::Surveyed`]), waits for a
//! line that lets it go on, and reports the result. A child whose node has died reads the end of its input there and
//! leaves; later its limit of processor time ends it.

mod process;
mod rlimits;
mod run;

use std::path::PathBuf;

use app::model::MediaType;
use clap::Args;
use serde::{Deserialize, Serialize};

pub(super) use self::process::DecoderProcess;
pub use self::run::run;

use super::limits::MIB;
use super::{ImageError, Inspected, Limits, name};

/// The subcommand.
pub const COMMAND: &str = "inspect-image";

/// Bytes of memory that a child may take beside what the picture's headers ask for: the file's walk, its plan, buffers,
/// and what the allocator adds. 6 MiB were seen.
pub(super) const CHILD_MEMORY: u64 = 24 * MIB;

/// What a child is told.
#[derive(Debug, Args)]
pub struct Job {
    /// The uploaded file.
    input: PathBuf,
    /// Where to write what may be served; an empty file that is there.
    output: PathBuf,
    /// `Limits` as JSON.
    #[arg(value_parser = parse_limits)]
    limits: Limits,
}

fn parse_limits(json: &str) -> Result<Limits, serde_json::Error> {
    serde_json::from_str(json)
}

/// What a child reports, one line each.
#[derive(Debug, Serialize, Deserialize)]
enum Report {
    /// The headers are within the limits.
    Surveyed(Surveyed),
    /// The picture is whole, and what may be served of it is written.
    Inspected(Inspected),
    /// The file is not taken.
    Refused(Refusal),
}

/// What a picture's headers say.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Surveyed {
    media_type: MediaType,
    /// Bytes of memory that its decoder needs at most.
    pub memory: u64,
}

/// [`ImageError`] as it is written.
#[derive(Debug, Serialize, Deserialize)]
enum Refusal {
    UnknownType,
    Damaged(MediaType),
    TooLarge(String),
    Unavailable,
}

impl From<ImageError> for Refusal {
    fn from(error: ImageError) -> Self {
        const TYPES: [MediaType; 4] = [
            MediaType::Png,
            MediaType::Jpeg,
            MediaType::Gif,
            MediaType::WebP,
        ];
        match error {
            ImageError::UnknownType => Self::UnknownType,
            ImageError::Damaged(format) => {
                let named = TYPES.into_iter().find(|of| name(*of) == format);
                named.map_or(Self::UnknownType, Self::Damaged)
            }
            ImageError::TooLarge(reason) => Self::TooLarge(reason),
            ImageError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<Refusal> for ImageError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownType => Self::UnknownType,
            Refusal::Damaged(media_type) => Self::Damaged(name(media_type)),
            Refusal::TooLarge(reason) => Self::TooLarge(reason),
            Refusal::Unavailable => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_comes_over_as_it_was() {
        for error in [
            ImageError::UnknownType,
            ImageError::Damaged("GIF"),
            ImageError::TooLarge("too large".to_owned()),
            ImageError::Unavailable,
        ] {
            let line = serde_json::to_string(&Refusal::from(error.clone())).unwrap();
            let read: Refusal = serde_json::from_str(&line).unwrap();
            assert_eq!(ImageError::from(read), error);
        }
    }
}
