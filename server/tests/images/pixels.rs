//! Pixels of decoded pictures, and pictures made of pixels.

use std::io::Cursor;

use app::model::MediaType;

use crate::helpers::{XorShift, inserted};

/// A picture's type, size, and pixels as RGBA.
pub struct Decoded {
    pub media_type: MediaType,
    pub size: (u32, u32),
    pub pixels: Vec<[u8; 4]>,
}

pub fn decoded(bytes: &[u8]) -> Decoded {
    if bytes.starts_with(b"RIFF") {
        let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).unwrap();
        let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
        decoder.read_image(&mut pixels).unwrap();
        return Decoded {
            media_type: MediaType::WebP,
            size: decoder.dimensions(),
            pixels: rgba(&pixels, if decoder.has_alpha() { 4 } else { 3 }),
        };
    }
    let mut decoder = zune_jpeg::JpegDecoder::new(Cursor::new(bytes));
    let pixels = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let channels = pixels.len() / (width * height) as usize;
    Decoded {
        media_type: MediaType::Jpeg,
        size: (width, height),
        pixels: rgba(&pixels, channels),
    }
}

fn rgba(bytes: &[u8], channels: usize) -> Vec<[u8; 4]> {
    let pixels = bytes.chunks_exact(channels);
    pixels
        .map(|pixel| match *pixel {
            [grey] => [grey, grey, grey, 255],
            [red, green, blue] => [red, green, blue, 255],
            [red, green, blue, alpha] => [red, green, blue, alpha],
            _ => unreachable!(),
        })
        .collect()
}

impl Decoded {
    pub fn at(&self, x: u32, y: u32) -> [u8; 4] {
        self.pixels[(y * self.size.0 + x) as usize]
    }

    /// These pixels in grey.
    pub fn grey(&self) -> Self {
        let grey = |[red, green, blue, alpha]: [u8; 4]| {
            let [red, green, blue] = [red, green, blue].map(u32::from);
            let grey = (red * 299 + green * 587 + blue * 114) / 1_000;
            let grey = u8::try_from(grey).unwrap();
            [grey, grey, grey, alpha]
        };
        Self {
            pixels: self.pixels.iter().copied().map(grey).collect(),
            ..*self
        }
    }

    /// The mean difference of samples between two pictures of the same size.
    pub fn difference(&self, other: &Self) -> usize {
        assert_eq!(self.size, other.size);
        let samples = |it: &Self| it.pixels.concat();
        let (one, two) = (samples(self), samples(other));
        let differences = one.iter().zip(&two).map(|(one, two)| one.abs_diff(*two));
        differences.map(usize::from).sum::<usize>() / one.len()
    }
}

/// Encodes a PNG of these pixels, with chunks before the image data.
pub fn png(
    colour: png::ColorType,
    width: u32,
    height: u32,
    pixels: &[u8],
    chunks: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    inserted(&bytes, 33, chunks)
}

/// Encodes a JPEG whose corners are red, green, blue and white, in the order of reading.
pub fn four_colours(width: u16, height: u16) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            pixels.extend(match (y < height / 2, x < width / 2) {
                (true, true) => [255, 0, 0],
                (true, false) => [0, 255, 0],
                (false, true) => [0, 0, 255],
                (false, false) => [255, 255, 255],
            });
        }
    }
    let mut bytes = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
    encoder
        .encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    bytes
}

/// Pixels that no coding makes much smaller.
pub fn noise(count: usize) -> Vec<u8> {
    let mut numbers = XorShift(7);
    (0..count)
        .map(|_| u8::try_from(numbers.below(256)).unwrap())
        .collect()
}

/// Pixels that no coding makes much smaller, with alpha by column.
pub fn noisy(width: u32, height: u32, alpha: impl Fn(u32) -> Option<u8>) -> Vec<u8> {
    let colours = noise((width * height * 3) as usize);
    let columns = (0..height).flat_map(|_| 0..width);
    columns
        .zip(colours.chunks_exact(3))
        .flat_map(|(x, colours)| colours.iter().copied().chain(alpha(x)))
        .collect()
}
