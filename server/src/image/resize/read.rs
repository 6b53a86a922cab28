//! Decodes an image whole: of an animation the first frame.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek};

use app::model::MediaType;
use image_webp::WebPDecoder;
use png::Transformations;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::colours::are_plain;
use super::pixels::{Picture, Pixels};
use crate::image::container_info::ContainerInfo;
use crate::image::decode::seekable::Seekable;
use crate::image::decode::timed::{TimeBudget, Timed};

/// Decodes a file that was checked. Returns `None` if it cannot be decoded as browsers do.
pub(super) fn read(
    file: File,
    media_type: MediaType,
    container: &ContainerInfo,
    budget: TimeBudget,
) -> Option<Picture> {
    let buffered = |file| BufReader::with_capacity(64 * 1024, Timed::new(file, budget));
    match media_type {
        MediaType::Jpeg => jpeg(buffered(file)),
        MediaType::Png => png(Seekable::new(file, budget)),
        MediaType::WebP => webp(buffered(file)),
        MediaType::Gif => gif(buffered(file), container),
    }
    .filter(|picture| {
        let pixels = &picture.pixels;
        (pixels.width, pixels.height) == (container.width, container.height)
    })
}

fn jpeg(reader: impl BufRead + Seek) -> Option<Picture> {
    let mut decoder = JpegDecoder::new(reader);
    decoder.decode_headers().ok()?;
    let info = decoder.info()?;
    let (channels, colours) = match info.components {
        1 => (1, ColorSpace::Luma),
        _ => (3, ColorSpace::RGB),
    };
    decoder.set_options(DecoderOptions::default().jpeg_set_out_colorspace(colours));
    let bytes = decoder.decode().ok()?;
    Some(Picture {
        pixels: Pixels {
            width: info.width.into(),
            height: info.height.into(),
            channels,
            bytes,
        },
        profile: decoder.icc_profile(),
    })
}

fn png(reader: impl BufRead + Seek) -> Option<Picture> {
    let mut options = ::png::DecodeOptions::default();
    // Browsers do not check the checksum after the rows.
    options.set_ignore_adler32(true);
    let mut decoder = ::png::Decoder::new_with_options(reader, options);
    // The process has a limit; here every buffered row would be counted.
    decoder.set_limits(::png::Limits { bytes: usize::MAX });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info().ok()?;
    are_plain(reader.info()).then_some(())?;
    let mut bytes = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut bytes).ok()?;
    let profile = reader.info().icc_profile.as_deref();
    Some(Picture {
        pixels: Pixels {
            width: frame.width,
            height: frame.height,
            channels: frame.color_type.samples(),
            bytes,
        },
        profile: profile.map(<[u8]>::to_vec),
    })
}

fn webp(reader: impl BufRead + Seek) -> Option<Picture> {
    let mut decoder = WebPDecoder::new(reader).ok()?;
    let profile = decoder.icc_profile().ok()?;
    let (width, height) = decoder.dimensions();
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let mut bytes = vec![0; decoder.output_buffer_size()?];
    decoder.read_image(&mut bytes).ok()?;
    Some(Picture {
        pixels: Pixels {
            width,
            height,
            channels,
            bytes,
        },
        profile,
    })
}

/// Decodes the first frame, and places it on a transparent canvas.
fn gif(reader: impl BufRead, container: &ContainerInfo) -> Option<Picture> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(reader).ok()?;
    let frame = decoder.read_next_frame().ok()??;
    let (width, height) = (container.width as usize, container.height as usize);
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let row_bytes = usize::from(frame.width) * 4;
    let shown_bytes = width.saturating_sub(left).min(frame.width.into()) * 4;
    let mut bytes = vec![0; width * height * 4];
    let rows = frame.buffer.chunks_exact(row_bytes.max(1));
    for (row, y) in rows.zip(top..height) {
        let at = (y * width + left) * 4;
        if shown_bytes > 0 {
            bytes[at..at + shown_bytes].copy_from_slice(&row[..shown_bytes]);
        }
    }
    Some(Picture {
        pixels: Pixels {
            width: container.width,
            height: container.height,
            channels: 4,
            bytes,
        },
        profile: None,
    })
}
