//! Smaller pictures: their size, type and look.

use std::io::{Cursor, Read, Seek, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use app::model::MediaType;
use server::config::{ImageLimits, PictureSpec};
use server::image::{DecodePool, ImageError, Resizing};

use crate::helpers::{
    SAMPLES, codings, inserted, is_damaged, is_too_large, png_chunk, profile, riff_chunk, sample,
    segment,
};
use crate::pixels::{Decoded, decoded, four_colours, noisy, png};

const PREVIEW: PictureSpec = PictureSpec::Preview {
    into: (1200, 630),
    bytes: 300_000,
};

/// Makes a smaller picture.
fn resized(bytes: &[u8], spec: PictureSpec) -> Result<Vec<u8>, ImageError> {
    resized_within(bytes, spec, ImageLimits::default())
}

fn resized_within(
    bytes: &[u8],
    spec: PictureSpec,
    limits: ImageLimits,
) -> Result<Vec<u8>, ImageError> {
    let mut input = tempfile::NamedTempFile::new().unwrap();
    input.write_all(bytes).unwrap();
    let mut output = tempfile::tempfile().unwrap();
    Resizing::begin(input.path(), limits, spec)?.finish(&mut output)?;
    let mut made = Vec::new();
    output.rewind().unwrap();
    output.read_to_end(&mut made).unwrap();
    Ok(made)
}

fn to_width(bytes: &[u8], width: u32) -> Vec<u8> {
    resized(bytes, PictureSpec::MaxWidth(width)).unwrap()
}

#[test]
fn a_smaller_picture_has_the_width_and_the_sides_of_the_image() {
    for (name, width, height, becomes) in [
        ("24-megapixels.jpg", 2560, 1707, MediaType::Jpeg),
        ("24-megapixels.jpg", 640, 427, MediaType::Jpeg),
        ("phone-rotated-gps.jpg", 1280, 853, MediaType::Jpeg),
        ("progressive.jpg", 640, 558, MediaType::Jpeg),
        ("coffee.png", 300, 200, MediaType::Jpeg),
        ("16-bit-grey.png", 192, 152, MediaType::Jpeg),
        ("grey.jpg", 200, 133, MediaType::Jpeg),
    ] {
        let original = sample(name);
        let made = to_width(&original, width);
        let picture = decoded(&made);
        assert_eq!(picture.media_type, becomes, "{name}");
        assert_eq!(picture.size, (width, height), "{name}");
        assert!(made.len() < original.len(), "{name}");
    }
}

#[test]
fn every_coding_looks_as_a_picture_or_none_is_made() {
    let codings = codings();
    let (_, _, reference) = codings
        .iter()
        .find(|(name, ..)| name == "lossless.webp")
        .unwrap();
    let reference = decoded(&to_preview(reference, 30));
    let mut compared = 0;
    for (name, _, bytes) in &codings {
        let is_other_picture = ["animated", "halved", "one-bit"]
            .iter()
            .any(|kind| name.contains(kind));
        if is_other_picture {
            continue;
        }
        let spec = PictureSpec::Preview {
            into: (30, 30),
            bytes: 300_000,
        };
        match resized(bytes, spec) {
            Ok(made) => {
                let made = decoded(&made);
                let difference = if name.contains("grey") {
                    made.difference(&reference.grey())
                } else {
                    made.difference(&reference)
                };
                assert!(difference < 8, "{name}: {difference}");
                compared += 1;
            }
            Err(error) => {
                assert!(matches!(error, ImageError::Damaged(_)), "{name}");
                assert!(["rgb.jpg", "progressive-cmyk.jpg"].contains(&name.as_str()));
            }
        }
    }
    assert!(compared >= 6, "{compared}");
}

fn to_preview(bytes: &[u8], side: u32) -> Vec<u8> {
    let spec = PictureSpec::Preview {
        into: (side, side),
        bytes: 300_000,
    };
    resized(bytes, spec).unwrap()
}

#[test]
fn a_picture_is_turned_as_the_image_is_displayed() {
    let colours = |picture: &Decoded| {
        let (right, bottom) = (picture.size.0 - 4, picture.size.1 - 4);
        [(3, 3), (right, 3), (3, bottom), (right, bottom)].map(|(x, y)| {
            let [red, green, blue, _] = picture.at(x, y);
            match [red, green, blue].map(|sample| sample > 128) {
                [true, true, true] => 'w',
                [true, ..] => 'r',
                [_, true, _] => 'g',
                _ => 'b',
            }
        })
    };
    let image = four_colours(480, 320);
    for (orientation, expected, size) in [
        (1, "rgbw", (60, 40)),
        (2, "grwb", (60, 40)),
        (3, "wbgr", (60, 40)),
        (4, "bwrg", (60, 40)),
        (5, "rbgw", (60, 90)),
        (6, "brwg", (60, 90)),
        (7, "wgbr", (60, 90)),
        (8, "gwrb", (60, 90)),
    ] {
        let mut tiff = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
        tiff[19] = orientation;
        let exif = segment(0xe1, &[b"Exif\0\0", &tiff[..]].concat());
        let picture = decoded(&to_width(&inserted(&image, 2, &exif), 60));
        let found = colours(&picture).iter().collect::<String>();
        assert_eq!(
            (found.as_str(), picture.size),
            (expected, size),
            "{orientation}"
        );
    }
}

#[test]
fn the_colour_profile_is_kept() {
    let icc = profile(200_000);
    let pixels = noisy(900, 600, |x| Some(u8::try_from(x % 256).unwrap()));
    let mut with_profile = Vec::new();
    let mut encoder = image_webp::WebPEncoder::new(&mut with_profile);
    encoder.set_icc_profile(icc.clone());
    encoder
        .encode(&pixels, 900, 600, image_webp::ColorType::Rgba8)
        .unwrap();
    let kept = to_width(&with_profile, 640);
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(kept)).unwrap();
    assert!(decoder.icc_profile().unwrap() == Some(icc));

    let kept = |bytes: &[u8]| {
        let mut decoder = zune_jpeg::JpegDecoder::new(Cursor::new(bytes));
        decoder.decode_headers().unwrap();
        decoder.icc_profile()
    };
    let phone = sample("phone-rotated-gps.jpg");
    assert!(kept(&phone).is_some());
    for spec in [PictureSpec::MaxWidth(640), PREVIEW] {
        assert!(kept(&resized(&phone, spec).unwrap()) == kept(&phone));
    }
}

#[test]
fn transparency_makes_a_webp_and_an_opaque_image_a_jpeg() {
    let rgba = png::ColorType::Rgba;
    let opaque = noisy(900, 600, |_| Some(255));
    let made = decoded(&to_width(&png(rgba, 900, 600, &opaque, b""), 640));
    assert_eq!(made.media_type, MediaType::Jpeg);

    let left_half = noisy(900, 600, |x| Some(if x < 450 { 0 } else { 255 }));
    let image = png(rgba, 900, 600, &left_half, b"");
    let made = decoded(&to_width(&image, 640));
    assert_eq!(made.media_type, MediaType::WebP);
    assert_eq!(made.at(10, 10)[3], 0);
    assert_eq!(made.at(630, 10)[3], 255);

    let preview = decoded(&resized(&image, PREVIEW).unwrap());
    assert_eq!(preview.media_type, MediaType::Jpeg);
    assert!(preview.at(10, 10).iter().all(|sample| *sample > 250));
}

#[test]
fn transparent_colours_leave_no_edges() {
    // Black where it is transparent, white elsewhere.
    let mut pixels = Vec::new();
    for _ in 0..600 {
        for x in 0..900 {
            pixels.extend(if x % 6 < 3 { [0; 4] } else { [255; 4] });
        }
    }
    let made = decoded(&to_width(
        &png(png::ColorType::Rgba, 900, 600, &pixels, b""),
        150,
    ));
    let visible = made.pixels.iter().filter(|pixel| pixel[3] > 8);
    assert!(visible.clone().count() > 0);
    assert!(visible.clone().all(|pixel| pixel[0] > 245));
}

#[test]
fn no_picture_is_made_of_what_would_look_different() {
    let cmyk = sample("cmyk.jpg");
    for spec in [PictureSpec::MaxWidth(300), PREVIEW] {
        assert!(is_damaged(&resized(&cmyk, spec)));
    }
    let pixels = noisy(900, 600, |_| None);
    let with = |chunk: Vec<u8>| png(png::ColorType::Rgb, 900, 600, &pixels, &chunk);
    let gamma = |value: u32| png_chunk(*b"gAMA", &value.to_be_bytes());
    let resized = |bytes: &[u8]| resized(bytes, PictureSpec::MaxWidth(640));
    assert!(resized(&with(Vec::new())).is_ok());
    assert!(resized(&with(gamma(45_455))).is_ok());
    assert!(is_damaged(&resized(&with(gamma(100_000)))));
    assert!(is_damaged(&resized(&with(png_chunk(
        *b"cICP",
        &[9, 16, 0, 1]
    )))));
    let [red, other_red] = [64_000_u32, 70_800].map(|red| {
        [31_270, 32_900, red, 33_000, 30_000, 60_000, 15_000, 6_000].map(u32::to_be_bytes)
    });
    assert!(resized(&with(png_chunk(*b"cHRM", &red.concat()))).is_ok());
    assert!(is_damaged(&resized(&with(png_chunk(
        *b"cHRM",
        &other_red.concat()
    )))));
}

#[test]
fn animations_stay_as_they_are_and_have_a_preview() {
    for name in ["animated.gif", "animated.webp"] {
        let spec = PictureSpec::MaxWidth(100);
        assert!(is_damaged(&resized(&sample(name), spec)), "{name}");
        let preview = decoded(&resized(&sample(name), PREVIEW).unwrap());
        assert_eq!(preview.media_type, MediaType::Jpeg, "{name}");
        assert_eq!(preview.size, (320, 214), "{name}");
        let is_white = |pixel: &[u8; 4]| pixel.iter().all(|sample| *sample > 250);
        assert!(!preview.pixels.iter().all(is_white), "{name}");
    }
}

#[test]
fn a_placeholder_is_tiny_and_never_of_a_transparent_or_animated_image() {
    let spec = PictureSpec::Placeholder {
        into: (24, 24),
        bytes: 600,
    };
    let noise = noisy(900, 900, |_| None);
    let noise = png(png::ColorType::Rgb, 900, 900, &noise, b"");
    for image in [sample("phone-rotated-gps.jpg"), sample("coffee.png"), noise] {
        let made = resized(&image, spec).unwrap();
        assert!(made.len() <= 600, "{} bytes", made.len());
        let picture = decoded(&made);
        assert_eq!(picture.media_type, MediaType::Jpeg);
        assert_eq!(picture.size.0, 24);
    }
    for name in ["transparent.webp", "animated.webp", "animated.gif"] {
        assert!(is_damaged(&resized(&sample(name), spec)), "{name}");
    }
}

#[test]
fn a_preview_fits_and_is_small_enough() {
    for (name, ..) in SAMPLES.iter().filter(|(name, ..)| *name != "cmyk.jpg") {
        let preview = resized(&sample(name), PREVIEW).unwrap();
        let (width, height) = decoded(&preview).size;
        assert!(
            preview.len() <= 300_000 && width <= 1200 && height <= 630,
            "{name}"
        );
    }
    let image = png(
        png::ColorType::Rgb,
        1200,
        630,
        &noisy(1200, 630, |_| None),
        b"",
    );
    assert!(resized(&image, PREVIEW).unwrap().len() <= 300_000);
}

#[test]
fn a_picture_that_would_be_no_smaller_is_not_made() {
    let pixels: Vec<u8> = (0..900 * 600)
        .flat_map(|at| {
            if at % 900 / 3 % 2 == 0 {
                [0; 3]
            } else {
                [255; 3]
            }
        })
        .collect();
    let image = png(png::ColorType::Rgb, 900, 600, &pixels, b"");
    assert!(is_damaged(&resized(&image, PictureSpec::MaxWidth(640))));
}

#[test]
fn limits_hold_for_resizing_too() {
    let spec = PictureSpec::MaxWidth(640);
    let slow = ImageLimits {
        time: Duration::ZERO,
        ..ImageLimits::default()
    };
    let image = sample("progressive.jpg");
    assert!(is_too_large(&resized_within(&image, spec, slow)));
    // Lossless colours of 42 megapixels are checked without the memory of all pixels, but not scaled.
    let header = ((16_384 - 1) << 14) + (2_600_u32 - 1);
    let coded = [&[0x2f][..], &header.to_le_bytes(), &[0; 8]].concat();
    let large = riff_chunk(
        *b"RIFF",
        &[&b"WEBP"[..], &riff_chunk(*b"VP8L", &coded)].concat(),
    );
    let mut input = tempfile::NamedTempFile::new().unwrap();
    input.write_all(&large).unwrap();
    let begun = Resizing::begin(input.path(), ImageLimits::default(), spec);
    assert!(is_too_large(&begun));
}

/// The memory limits must allow what was announced.
#[tokio::test]
async fn every_sample_is_resized_in_a_process_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let pool = DecodePool::new(
        env!("CARGO_BIN_EXE_tonesa").into(),
        directory.path().to_owned(),
        ImageLimits::default(),
    );
    let address = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    for (name, ..) in SAMPLES {
        for spec in [PictureSpec::MaxWidth(160), PREVIEW] {
            let resizer = pool.resizer(address, Duration::from_mins(1)).await.unwrap();
            let input = pool.create_temporary().await.unwrap();
            std::fs::write(&input, sample(name)).unwrap();
            let result = resizer.resize(input, spec).await;
            let made = result.map(|file| std::fs::read(file).unwrap());
            assert!(made == resized(&sample(name), spec), "{name}");
        }
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert_eq!(pool.decoding(), 0);
}
