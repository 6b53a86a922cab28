//! Decodes a JPEG.

use std::fs::File;

use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::Seekable;
use crate::image::jpeg::SCANS;

/// Decodes the whole picture, strictly: by default the decoder fills up what is missing.
///
/// Of a picture in brightness and colour differences, brightness is enough: the colours' coded data are read all the
/// same, and a third of the memory does.
pub(super) fn decode(file: Seekable<File>) -> Result<(), DecodeErrors> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(SCANS as usize);
    let mut decoder = JpegDecoder::new_with_options(file, options);
    decoder.decode_headers()?;
    let output = match decoder.input_colorspace() {
        Some(ColorSpace::YCbCr | ColorSpace::Luma) => ColorSpace::Luma,
        _ => ColorSpace::RGB,
    };
    decoder.set_options(options.jpeg_set_out_colorspace(output));
    let size = decoder.output_buffer_size().unwrap_or(0);
    decoder.decode_into(&mut vec![0; size])
}
