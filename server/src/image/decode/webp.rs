//! Decodes each image of a WebP separately.
//!
//! The decoder would hold canvas, frame, colour and alpha of an animation at the same time. Decoding each image as a
//! file of its own, which a plan describes, checks as much: colour as a plain image, and alpha, which is coded like an
//! image without a header, as a lossless one.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use app::model::MediaType;

use image_webp::{DecodingError, UpsamplingMethod, WebPDecoder};

use super::seekable::Seekable;
use super::timed::TimeBudget;
use crate::image::error::ImageError;
use crate::image::plan::Plan;
use crate::image::webp::container::{length, riff};
use crate::image::webp::frame::Frame;

/// The length of a lossless image's header, which alpha does not have.
const LOSSLESS_HEADER: u64 = 5;

/// Decodes the images, in an animation up to the first damaged one.
pub(super) fn decode(file: &File, frames: &[Frame], budget: TimeBudget) -> Result<(), ImageError> {
    for (index, frame) in frames.iter().enumerate() {
        match decode_frame(file, frame, budget).map_err(refusal) {
            // Browsers show an animation up to the first frame that cannot be decoded.
            Err(ImageError::Damaged(_)) if index > 0 => return budget.check(),
            decoded => decoded?,
        }
    }
    Ok(())
}

fn decode_frame(file: &File, frame: &Frame, budget: TimeBudget) -> Result<(), DecodingError> {
    decode_colour(file, frame, budget)?;
    match &frame.alpha {
        Some(data) => decode_alpha(file, frame, data, budget),
        None => Ok(()),
    }
}

fn refusal(_: DecodingError) -> ImageError {
    ImageError::Damaged(MediaType::WebP)
}

fn decode_colour(file: &File, frame: &Frame, budget: TimeBudget) -> Result<(), DecodingError> {
    if frame.is_lossless {
        let coded = frame.image.start + LOSSLESS_HEADER..frame.image.end;
        return decode_lossless(file, frame, coded, budget);
    }
    let mut chunk = Plan::default();
    chunk.write(b"VP8 ");
    chunk.write(&length(frame.image.end - frame.image.start));
    chunk.copy(frame.image.clone());
    decode_file(file, chunk, budget)
}

/// Decodes alpha, which is plain bytes, or the green channel of a lossless image (RFC 9649, section 2.7.1.2).
fn decode_alpha(
    file: &File,
    frame: &Frame,
    data: &Range<u64>,
    budget: TimeBudget,
) -> Result<(), DecodingError> {
    let mut file = file.try_clone()?;
    let mut info = [0];
    file.seek(SeekFrom::Start(data.start))?;
    file.read_exact(&mut info)?;
    let coded = data.start + 1..data.end;
    let pixels = u64::from(frame.width) * u64::from(frame.height);
    match info[0] & 3 {
        0 if coded.end - coded.start >= pixels => Ok(()),
        0 => Err(DecodingError::AlphaChunkSizeMismatch),
        1 => decode_lossless(&file, frame, coded, budget),
        _ => Err(DecodingError::InvalidCompressionMethod),
    }
}

/// Decodes lossless data with a new header. The header declares alpha, since otherwise the decoder copies every pixel.
fn decode_lossless(
    file: &File,
    frame: &Frame,
    coded: Range<u64>,
    budget: TimeBudget,
) -> Result<(), DecodingError> {
    let header = (frame.width - 1) | (frame.height - 1) << 14 | 1 << 28;
    let mut chunk = Plan::default();
    chunk.write(b"VP8L");
    chunk.write(&length(LOSSLESS_HEADER + coded.end - coded.start));
    chunk.write(&[0x2f]);
    chunk.write(&header.to_le_bytes());
    chunk.copy(coded);
    decode_file(file, chunk, budget)
}

fn decode_file(file: &File, chunk: Plan, budget: TimeBudget) -> Result<(), DecodingError> {
    let reader = riff(chunk).reader(file.try_clone()?);
    let mut decoder = WebPDecoder::new(Seekable::new(reader, budget))?;
    decoder.set_lossy_upsampling(UpsamplingMethod::Simple);
    let size = decoder
        .output_buffer_size()
        .ok_or(DecodingError::ImageTooLarge)?;
    decoder.read_image(&mut vec![0; size])
}
