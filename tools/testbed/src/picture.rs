//! Pictures to upload.

use rand::RngExt;
use rand::rngs::StdRng;

/// A PNG of noise, unlike any other, with about three bytes for each of its pixels.
pub fn noise_png([width, height]: [u32; 2], rng: &mut StdRng) -> Vec<u8> {
    let pixels: Vec<u8> = (0..width * height * 3).map(|_| rng.random()).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let writer = encoder.write_header();
    let written = writer.and_then(|mut writer| writer.write_image_data(&pixels));
    written.expect("writing to a vector cannot fail");
    bytes
}
