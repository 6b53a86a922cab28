//! Helpers for the tests of images: samples, checking bytes, building containers, decoding.

use std::fs;
use std::io::{Cursor, Read, Seek, Write};
use std::path::PathBuf;

use app::model::MediaType;
use server::config::ImageLimits;
use server::image::{ImageError, Inspected, inspect};

/// Every sample: its name, type, and displayed size.
pub const SAMPLES: [(&str, MediaType, u32, u32); 10] = [
    ("16-bit-grey.png", MediaType::Png, 384, 303),
    ("24-megapixels.jpg", MediaType::Jpeg, 6000, 4000),
    ("animated.gif", MediaType::Gif, 320, 214),
    ("animated.webp", MediaType::WebP, 320, 214),
    ("cmyk.jpg", MediaType::Jpeg, 600, 400),
    ("coffee.png", MediaType::Png, 600, 400),
    ("grey.jpg", MediaType::Jpeg, 451, 300),
    ("phone-rotated-gps.jpg", MediaType::Jpeg, 4032, 2688),
    ("progressive.jpg", MediaType::Jpeg, 1000, 872),
    ("transparent.webp", MediaType::WebP, 512, 512),
];

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../end2end/images")
        .join(name)
}

/// Returns every small image in a coding that the samples do not have: its name, type and bytes.
pub fn codings() -> Vec<(String, MediaType, Vec<u8>)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/images/codings");
    let paths = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    paths
        .filter_map(|path| {
            let media_type = match path.extension()?.to_str()? {
                "png" => MediaType::Png,
                "jpg" => MediaType::Jpeg,
                "webp" => MediaType::WebP,
                _ => return None,
            };
            let name = path.file_name()?.to_str()?.to_owned();
            Some((name, media_type, fs::read(path).unwrap()))
        })
        .collect()
}

pub fn sample(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap()
}

/// Checks bytes within the default limits, and returns the file to be served.
pub fn inspected(bytes: &[u8]) -> Result<(Inspected, Vec<u8>), ImageError> {
    inspected_within(bytes, ImageLimits::default())
}

pub fn inspected_within(
    bytes: &[u8],
    limits: ImageLimits,
) -> Result<(Inspected, Vec<u8>), ImageError> {
    let mut input = tempfile::NamedTempFile::new().unwrap();
    input.write_all(bytes).unwrap();
    let mut output = tempfile::tempfile().unwrap();
    let inspected = inspect(input.path(), &mut output, limits)?;
    let mut served = Vec::new();
    output.rewind().unwrap();
    output.read_to_end(&mut served).unwrap();
    assert_eq!(served.len() as u64, inspected.size);
    Ok((inspected, served))
}

pub fn is_damaged<T>(result: &Result<T, ImageError>) -> bool {
    matches!(result, Err(ImageError::Damaged(_)))
}

pub fn is_too_large<T>(result: &Result<T, ImageError>) -> bool {
    matches!(result, Err(ImageError::TooLarge(_)))
}

pub fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    position(bytes, part).is_some()
}

/// Returns where the last of these parts begins.
pub fn last_position(bytes: &[u8], part: &[u8]) -> usize {
    bytes
        .windows(part.len())
        .rposition(|window| window == part)
        .unwrap()
}

pub fn inserted(bytes: &[u8], at: usize, part: &[u8]) -> Vec<u8> {
    [&bytes[..at], part, &bytes[at..]].concat()
}

/// Makes a PNG chunk with its checksum.
pub fn png_chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let checked = [&kind[..], data].concat();
    let len = u32::try_from(data.len()).unwrap().to_be_bytes();
    let checksum = crc32fast::hash(&checked).to_be_bytes();
    [&len[..], &checked, &checksum].concat()
}

/// Makes a PNG of these chunks, with a header for 8 bits grey.
pub fn png(width: u32, height: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    let header = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes(),
        &[8, 0, 0, 0, 0],
    ]
    .concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(png_chunk(*b"IHDR", &header));
    png.extend(chunks.concat());
    png.extend(png_chunk(*b"IEND", b""));
    png
}

/// Makes a JPEG segment.
pub fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker][..], &len, content].concat()
}

/// Makes a padded WebP chunk.
pub fn riff_chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).unwrap().to_le_bytes();
    let padding: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
    [&kind[..], &len, data, padding].concat()
}

pub fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    riff_chunk(*b"RIFF", &[b"WEBP".to_vec(), chunks.concat()].concat())
}

/// Returns the pixels of every frame.
pub fn frames(media_type: MediaType, bytes: &[u8]) -> Vec<Vec<u8>> {
    match media_type {
        MediaType::Png => png_frames(bytes),
        MediaType::Jpeg => {
            let mut decoder =
                zune_jpeg::JpegDecoder::new(zune_core::bytestream::ZCursor::new(bytes));
            vec![decoder.decode().unwrap()]
        }
        MediaType::Gif => gif_frames(bytes),
        MediaType::WebP => webp_frames(bytes),
    }
}

fn png_frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let count = reader
        .info()
        .animation_control
        .map_or(1, |control| control.num_frames);
    (0..count)
        .map(|_| {
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            pixels
        })
        .collect()
}

fn gif_frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(bytes).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        let placed = [
            frame.left,
            frame.top,
            frame.width,
            frame.height,
            frame.delay,
        ];
        let mut pixels = frame.buffer.to_vec();
        pixels.extend(placed.iter().flat_map(|value| value.to_le_bytes()));
        frames.push(pixels);
    }
    frames
}

fn webp_frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).unwrap();
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    if !decoder.is_animated() {
        decoder.read_image(&mut pixels).unwrap();
        return vec![pixels];
    }
    (0..decoder.num_frames())
        .map(|_| {
            let duration = decoder.read_frame(&mut pixels).unwrap();
            [&pixels[..], &duration.to_le_bytes()].concat()
        })
        .collect()
}

/// Generates numbers that are the same in every run (xorshift).
pub struct XorShift(pub u64);

impl XorShift {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// Makes a minimal colour profile: a header, and zeros.
pub fn profile(len: usize) -> Vec<u8> {
    let mut profile = vec![0; len];
    profile[..4].copy_from_slice(&u32::try_from(len).unwrap().to_be_bytes());
    profile[8] = 4;
    profile[12..24].copy_from_slice(b"mntrRGB XYZ ");
    profile[36..40].copy_from_slice(b"acsp");
    profile
}
