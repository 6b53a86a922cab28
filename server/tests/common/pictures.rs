//! Makes small valid images.

use std::io::{Cursor, Write};

/// Makes a PNG of this size.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    encode_png(width, height, &grey(width, height))
}

/// Makes a PNG of this size whose alpha is noise too.
pub fn transparent_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&noise(width * height * 4)).unwrap();
    writer.finish().unwrap();
    bytes
}

/// Makes a PNG of a little more than this many bytes: noise does not compress.
pub fn large_png(bytes: u32) -> Vec<u8> {
    let side = (bytes / 3).isqrt() + 1;
    encode_png(side, side, &noise(side * side * 3))
}

/// Makes a PNG of a little more than this many bytes, of a palette: a JPEG of its noise is larger.
pub fn large_indexed_png(bytes: u32) -> Vec<u8> {
    let side = bytes.isqrt() + 1;
    encode(side, side, &noise(side * side), Some(noise(256 * 3)))
}

fn noise(bytes: u32) -> Vec<u8> {
    let mut state = 1_u32;
    (0..bytes)
        .map(|_| {
            // Marsaglia's xorshift.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        })
        .collect()
}

fn encode_png(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    encode(width, height, pixels, None)
}

/// Pixels are three samples, or an index of the palette.
fn encode(width: u32, height: u32, pixels: &[u8], palette: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    if let Some(palette) = palette {
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(palette);
    }
    encoder.set_compression(png::Compression::Fastest);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    bytes
}

/// Makes a PNG that is repaired, since bytes follow its rows, and is larger then: it was compressed as well as
/// possible.
pub fn repaired_png() -> Vec<u8> {
    let (width, height) = (3_000_u32, 700_usize);
    let row = [vec![0], noise(width * 3)].concat();
    let rows = [row.repeat(height), b"hidden".to_vec()].concat();
    let mut compressed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    compressed.write_all(&rows).unwrap();
    let mut header = width.to_be_bytes().to_vec();
    header.extend(u32::try_from(height).unwrap().to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [
        (b"IHDR", header),
        (b"IDAT", compressed.finish().unwrap()),
        (b"IEND", Vec::new()),
    ] {
        bytes.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        let chunk = [kind.to_vec(), content].concat();
        bytes.extend(&chunk);
        bytes.extend(crc32fast::hash(&chunk).to_be_bytes());
    }
    bytes
}

/// Makes a GIF of this size.
pub fn gif(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let black_and_white = [0, 0, 0, 255, 255, 255];
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, &black_and_white).unwrap();
    let pixels = vec![1; usize::from(width) * usize::from(height)];
    let frame = gif::Frame::from_indexed_pixels(width, height, pixels, None);
    encoder.write_frame(&frame).unwrap();
    drop(encoder);
    bytes
}

/// Makes a WebP of this size.
pub fn webp(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image_webp::WebPEncoder::new(&mut bytes)
        .encode(
            &grey(width, height),
            width,
            height,
            image_webp::ColorType::Rgb8,
        )
        .unwrap();
    bytes.into_inner()
}

fn grey(width: u32, height: u32) -> Vec<u8> {
    vec![127; usize::try_from(width * height * 3).unwrap()]
}

/// Returns a JPEG of 5 by 4 pixels.
pub fn jpeg() -> Vec<u8> {
    include_bytes!("picture.jpg").to_vec()
}
