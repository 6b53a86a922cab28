//! Images, whole: an accepted one is checked, written as it is served, and smaller pictures are made of that.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use app::model::MediaType;
use server::config::{ImageLimits, PictureSpec};
use server::image::{ImageError, Inspected, Resizing, inspect};

use super::folder;

/// Small, so that most of the time is spent on small images.
const LIMITS: ImageLimits = ImageLimits {
    pixels: 100_000,
    animation_pixels: 400_000,
    side: 4_096,
    frames: 20,
    time: Duration::from_secs(10),
};

const PICTURES: [PictureSpec; 3] = [
    PictureSpec::MaxWidth(16),
    PictureSpec::Preview {
        into: (40, 20),
        bytes: 4_000,
    },
    PictureSpec::Placeholder {
        into: (8, 8),
        bytes: 600,
    },
];

/// PNGs, with right checksums: a fuzzer does not find them.
pub fn png(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    correct_checksums(&mut bytes);
    run(&bytes, MediaType::Png);
}

/// JPEGs.
pub fn jpeg(bytes: &[u8]) {
    run(bytes, MediaType::Jpeg);
}

/// GIFs.
pub fn gif(bytes: &[u8]) {
    run(bytes, MediaType::Gif);
}

/// Files of the format `WebP`.
pub fn webp(bytes: &[u8]) {
    run(bytes, MediaType::WebP);
}

fn run(bytes: &[u8], media_type: MediaType) {
    let input = folder().join("input");
    fs::write(&input, bytes).expect("the input can be written");
    let served = folder().join("served");
    let Some(inspected) = checked(&input, &served) else {
        return;
    };
    if inspected.media_type != media_type {
        return;
    }
    // What is served is accepted as it is.
    let again = folder().join("again");
    assert_eq!(checked(&served, &again), Some(inspected));
    let [first, second] = [&served, &again].map(|path| fs::read(path).expect("it was written"));
    assert!(
        first == second,
        "what is served is served otherwise when it is uploaded again"
    );
    for spec in PICTURES {
        let made = folder().join("made");
        resize(&served, &made, spec);
    }
}

/// Checks an image, and writes what is served of it.
fn checked(input: &Path, output: &Path) -> Option<Inspected> {
    let mut file = create(output);
    let checked = inspect(input, &mut file, LIMITS);
    assert_ne!(
        checked,
        Err(ImageError::Unavailable),
        "reading and writing does not fail"
    );
    let inspected = checked.ok()?;
    assert_eq!(file.metadata().expect("it is open").len(), inspected.size);
    assert!(inspected.width > 0 && inspected.height > 0);
    Some(inspected)
}

/// Makes a smaller picture, which is an image too.
fn resize(input: &Path, output: &Path, spec: PictureSpec) {
    let Ok(resizing) = Resizing::begin(input, LIMITS, spec) else {
        return;
    };
    let made = resizing.finish(&mut create(output));
    assert_ne!(
        made,
        Err(ImageError::Unavailable),
        "reading and writing does not fail"
    );
    if made.is_ok() {
        let picture = checked(output, &folder().join("checked")).expect("a picture is an image");
        let (width, height) = match spec {
            PictureSpec::MaxWidth(width) => (width, u32::MAX),
            PictureSpec::Preview { into, .. } | PictureSpec::Placeholder { into, .. } => into,
        };
        assert!(
            picture.width <= width && picture.height <= height,
            "{picture:?}"
        );
    }
}

fn create(path: &Path) -> File {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path);
    file.expect("the file can be created")
}

/// Writes the right checksum into each complete chunk of a PNG.
fn correct_checksums(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let length = u32::from_be_bytes(*length) as usize;
        let end = at + 8 + length;
        if end + 4 > bytes.len() {
            return;
        }
        let checksum = crc32fast::hash(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&checksum.to_be_bytes());
        at = end + 4;
    }
}
