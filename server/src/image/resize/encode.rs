//! Encodes pixels as a JPEG, or as a WebP where they are transparent.

use image_webp::WebPEncoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::colours::profile_fits;
use super::pixels::Pixels;

/// The quality of a JPEG, of 100: what is lost is hardly seen.
const QUALITY: u8 = 75;

/// The quality where the picture is as wide as the image, so that each of its pixels may be seen. Colours keep their full
/// resolution then: thin coloured lines are what people point at.
const QUALITY_UNSCALED: u8 = 80;

/// Half of the colours' resolution, in both directions.
const SUBSAMPLED: SamplingFactor = SamplingFactor::F_2_2;

/// The qualities that are tried where the bytes are limited, until they are few enough.
const QUALITIES: [u8; 5] = [QUALITY, 60, 45, 30, 20];

/// Encodes pixels. Returns `None` if there are not fewer than `bytes` bytes.
pub(super) fn smaller_than(bytes: u64, pixels: Pixels, profile: Option<&[u8]>) -> Option<Vec<u8>> {
    let encoded = if is_transparent(&pixels) {
        webp(&pixels, profile)?
    } else {
        jpeg(&without_alpha(pixels), profile, QUALITY, SUBSAMPLED)?
    };
    Some(encoded).filter(|encoded| (encoded.len() as u64) < bytes)
}

/// Encodes pixels that were not scaled as a JPEG. Returns `None` for transparent ones, and if that does not save half of
/// the image's `bytes`.
pub(super) fn unscaled(bytes: u64, pixels: Pixels, profile: Option<&[u8]>) -> Option<Vec<u8>> {
    if is_transparent(&pixels) {
        return None;
    }
    let pixels = without_alpha(pixels);
    let encoded = jpeg(&pixels, profile, QUALITY_UNSCALED, SamplingFactor::F_1_1)?;
    Some(encoded).filter(|encoded| (encoded.len() as u64) <= bytes / 2)
}

/// Encodes a JPEG of at most `bytes` bytes, with white where pixels are transparent.
pub(super) fn preview(bytes: u64, pixels: Pixels, profile: Option<&[u8]>) -> Option<Vec<u8>> {
    within(bytes, &without_alpha(on_white(pixels)), profile)
}

/// Encodes a JPEG of at most `bytes` bytes. Returns `None` for transparent pixels. A profile would take more than all
/// the rest, and blurred colours need none.
pub(super) fn placeholder(bytes: u64, pixels: Pixels) -> Option<Vec<u8>> {
    if is_transparent(&pixels) {
        return None;
    }
    within(bytes, &without_alpha(pixels), None)
}

fn within(bytes: u64, pixels: &Pixels, profile: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut encoded = QUALITIES
        .iter()
        .map_while(|quality| jpeg(pixels, profile, *quality, SUBSAMPLED));
    encoded.find(|encoded| encoded.len() as u64 <= bytes)
}

/// Encodes a progressive JPEG, which is shown as a whole before all of it has arrived, and is smaller.
fn jpeg(
    pixels: &Pixels,
    profile: Option<&[u8]>,
    quality: u8,
    sampling: SamplingFactor,
) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_progressive(true);
    encoder.set_sampling_factor(sampling);
    encoder.set_optimized_huffman_tables(true);
    if let Some(profile) = profile {
        let colours = if pixels.channels == 1 {
            b"GRAY"
        } else {
            b"RGB "
        };
        profile_fits(profile, *colours).then_some(())?;
        encoder.add_icc_profile(profile).ok()?;
    }
    let colours = if pixels.channels == 1 {
        ColorType::Luma
    } else {
        ColorType::Rgb
    };
    let (width, height) = (
        pixels.width.try_into().ok()?,
        pixels.height.try_into().ok()?,
    );
    let done = encoder.encode(&pixels.bytes, width, height, colours);
    done.ok().map(|()| bytes)
}

/// Encodes a lossless WebP.
fn webp(pixels: &Pixels, profile: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = WebPEncoder::new(&mut bytes);
    if let Some(profile) = profile {
        profile_fits(profile, *b"RGB ").then_some(())?;
        encoder.set_icc_profile(profile.to_vec());
    }
    let colours = if pixels.channels == 2 {
        image_webp::ColorType::La8
    } else {
        image_webp::ColorType::Rgba8
    };
    let done = encoder.encode(&pixels.bytes, pixels.width, pixels.height, colours);
    done.ok().map(|()| bytes)
}

fn is_transparent(pixels: &Pixels) -> bool {
    let alpha = pixels.channels - 1;
    let mut all = pixels.bytes.chunks_exact(pixels.channels);
    pixels.has_alpha() && all.any(|pixel| pixel[alpha] < 255)
}

/// Removes the alpha samples.
fn without_alpha(pixels: Pixels) -> Pixels {
    if !pixels.has_alpha() {
        return pixels;
    }
    let channels = pixels.channels - 1;
    let colours = pixels.bytes.chunks_exact(pixels.channels);
    let bytes = colours.flat_map(|pixel| &pixel[..channels]).copied();
    Pixels {
        channels,
        bytes: bytes.collect(),
        ..pixels
    }
}

/// Puts white under transparent pixels.
fn on_white(mut pixels: Pixels) -> Pixels {
    if pixels.has_alpha() {
        let last = pixels.channels - 1;
        for pixel in pixels.bytes.chunks_exact_mut(pixels.channels) {
            let alpha = u16::from(pixel[last]);
            for sample in &mut pixel[..last] {
                let mixed = (u16::from(*sample) * alpha + 255 * (255 - alpha) + 127) / 255;
                *sample = mixed.try_into().unwrap_or(u8::MAX);
            }
        }
    }
    pixels
}
