//! Pictures to upload.

use rand::RngExt;
use rand::rngs::StdRng;

/// Pixels a side.
const SIDE: u32 = 16;

/// A small PNG of noise, unlike any other.
pub fn png(chance: &mut StdRng) -> Vec<u8> {
    let pixels: Vec<u8> = (0..SIDE * SIDE * 3).map(|_| chance.random()).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgb);
    let written = encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels));
    written.expect("a vector takes whatever is written to it");
    bytes
}
