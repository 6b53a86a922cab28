//! Decodes a JPEG, strictly: by default the decoder fills up what is missing.
//!
//! Even then it takes the end of a picture for as many zeros as it still needs, so that one cut short and closed anew
//! would pass. Therefore it is shown more coded data at that place, which no code matches: a picture that is whole
//! does not need them.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::{Budget, Seekable};
use crate::image::ImageError;
use crate::image::jpeg::{NAME, SCANS};
use crate::image::plan::{Plan, PlanReader};

/// Bytes of ones, each with the zero that says that it is no marker. Codes of ones only do not exist (T.81, C).
const ONES: [u8; 256] = {
    let mut ones = [0; 256];
    let mut index = 0;
    while index < ones.len() {
        ones[index] = 0xff;
        index += 2;
    }
    ones
};

/// Decodes the whole picture.
pub(super) fn decode(
    mut file: File,
    last_scan_end: Option<u64>,
    is_grey_enough: bool,
    budget: Budget,
) -> Result<(), ImageError> {
    let Ok(len) = file.seek(SeekFrom::End(0)) else {
        return Err(ImageError::Unavailable);
    };
    let mut plan = Plan::default();
    if let Some(end) = last_scan_end {
        plan.copy(0..end);
        plan.write(&ONES);
        plan.copy(end..len);
    } else {
        plan.copy(0..len);
    }
    let picture = Seekable::new(plan.reader(file), budget);
    run(picture, is_grey_enough).map_err(|_| ImageError::Damaged(NAME))
}

/// Where brightness is enough, a third of the memory does.
fn run(picture: Seekable<PlanReader>, is_grey_enough: bool) -> Result<(), DecodeErrors> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(SCANS as usize);
    let mut decoder = JpegDecoder::new_with_options(picture, options);
    decoder.decode_headers()?;
    let output = match decoder.input_colorspace() {
        Some(ColorSpace::YCbCr | ColorSpace::Luma) if is_grey_enough => ColorSpace::Luma,
        _ => ColorSpace::RGB,
    };
    decoder.set_options(options.jpeg_set_out_colorspace(output));
    let size = decoder.output_buffer_size().unwrap_or(0);
    decoder.decode_into(&mut vec![0; size])
}
