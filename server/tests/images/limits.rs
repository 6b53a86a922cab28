//! Limits of images, checked by their headers, and files that are not images.

use crate::helpers;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::helpers::{
    inserted, inspected, inspected_within, is_damaged, is_too_large, png, png_chunk, position,
    riff_chunk, sample, segment, webp,
};
use server::config::ImageLimits;
use server::image::{IMAGE_MEMORY, ImageError, Inspection};

#[test]
fn other_files_are_refused_by_their_first_bytes() {
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"/>"#;
    let html = b"<!doctype html><title>PNG</title>";
    let others: [&[u8]; 11] = [
        b"",
        b"G",
        b"just a text file",
        svg,
        html,
        b"%PDF-1.7\n",
        b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0",
        b"II*\0\x08\0\0\0",
        b"\0\0\0\x1cftypavif",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b" GIF89a",
    ];
    for bytes in others {
        assert_eq!(inspected(bytes).unwrap_err(), ImageError::UnknownType);
    }
}

/// Makes images of each type with this size in their header, without image data.
fn header_only_images(width: u16, height: u16) -> [Vec<u8>; 4] {
    let [w, h] = [width, height].map(u16::to_le_bytes);
    let gif = [b"GIF89a", &w[..], &h, &[0, 0, 0, 0x3b]].concat();
    let frame = [
        &[8][..],
        &height.to_be_bytes(),
        &width.to_be_bytes(),
        &[1, 1, 0x11, 0],
    ]
    .concat();
    let jpeg = [
        b"\xff\xd8".to_vec(),
        segment(0xc0, &frame),
        b"\xff\xd9".to_vec(),
    ]
    .concat();
    let sides = [width, height].map(|side| (u32::from(side).wrapping_sub(1)).to_le_bytes());
    let header = [&[0, 0, 0, 0], &sides[0][..3], &sides[1][..3]].concat();
    let webp = webp(&[riff_chunk(*b"VP8X", &header)]);
    [png(width.into(), height.into(), &[]), jpeg, gif, webp]
}

#[test]
fn too_many_pixels_are_refused_from_the_header_at_once() {
    let start = Instant::now();
    for (width, height) in [(65_535, 65_535), (16_385, 1), (1, 16_385), (8_001, 8_000)] {
        for bytes in header_only_images(width, height) {
            assert!(is_too_large(&inspected(&bytes)), "{width} × {height}");
        }
    }
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn empty_sizes_are_damaged() {
    for (width, height) in [(0, 0), (0, 5), (5, 0)] {
        let [png, jpeg, gif, _] = header_only_images(width, height);
        for bytes in [png, jpeg, gif] {
            assert!(is_damaged(&inspected(&bytes)), "{width} × {height}");
        }
    }
}

#[test]
fn a_png_with_the_largest_possible_size_is_refused() {
    assert!(is_too_large(&inspected(&png(u32::MAX, u32::MAX, &[]))));
}

#[test]
fn lengths_beyond_the_file_are_damaged() {
    let mut long_png = sample("coffee.png");
    let data = position(&long_png, b"IDAT").unwrap();
    long_png[data - 4..data].fill(0xff);
    let mut long_webp = sample("animated.webp");
    let frame = position(&long_webp, b"ANMF").unwrap();
    long_webp[frame + 4..frame + 8].fill(0xff);
    let mut long_riff = sample("transparent.webp");
    long_riff[4..8].fill(0xff);
    let long_segment = inserted(&sample("grey.jpg"), 20, &[0xff, 0xe5, 0xff, 0xff]);
    for bytes in [long_png, long_webp, long_riff, long_segment] {
        assert!(is_damaged(&inspected(&bytes)));
    }
}

#[test]
fn frames_outside_their_canvas_are_damaged() {
    let mut moved = sample("animated.webp");
    let frame = position(&moved, b"ANMF").unwrap();
    moved[frame + 8] = 1;
    assert!(is_damaged(&inspected(&moved)));
    let mut narrow = sample("animated.webp");
    let header = position(&narrow, b"VP8X").unwrap();
    narrow[header + 12] = 5;
    narrow[header + 13] = 0;
    assert!(is_damaged(&inspected(&narrow)));
}

#[test]
fn frames_and_their_pixels_are_limited() {
    let few = ImageLimits {
        frames: 2,
        ..ImageLimits::default()
    };
    let small = ImageLimits {
        animation_pixels: 100_000,
        ..ImageLimits::default()
    };
    for name in ["animated.gif", "animated.webp"] {
        let bytes = sample(name);
        assert!(is_too_large(&inspected_within(&bytes, few)), "{name}");
        assert!(is_too_large(&inspected_within(&bytes, small)), "{name}");
    }
}

#[test]
fn a_slow_image_is_refused_with_a_reason() {
    let none = ImageLimits {
        time: Duration::ZERO,
        ..ImageLimits::default()
    };
    for (name, ..) in helpers::SAMPLES {
        let refusal = inspected_within(&sample(name), none).unwrap_err();
        assert!(
            refusal.to_string().contains("too long"),
            "{name}: {refusal}"
        );
    }
}

/// Each frame takes long for its size; the time is checked between them.
#[test]
fn an_animation_that_takes_too_long_is_not_decoded_to_its_end() {
    let side = 1_600_u16;
    // A key frame whose coefficients are all coded by zeros.
    let coded = 120_000_u32;
    let tag = (coded - 10_000) << 5 | 1 << 4;
    let mut image = [&tag.to_le_bytes()[..3], &[0x9d, 0x01, 0x2a]].concat();
    image.extend([side, side].map(u16::to_le_bytes).concat());
    image.resize(coded as usize, 0);
    let sides = [u32::from(side) - 1; 2].map(u32::to_le_bytes);
    let sides = [&sides[0][..3], &sides[1][..3]].concat();
    let header = [&[0, 0, 0, 0, 0, 0][..], &sides, &[0; 4]].concat();
    let frame = riff_chunk(*b"ANMF", &[header, riff_chunk(*b"VP8 ", &image)].concat());
    let canvas = riff_chunk(*b"VP8X", &[&[2, 0, 0, 0][..], &sides].concat());
    let animation = |frames| {
        let mut chunks = vec![canvas.clone(), riff_chunk(*b"ANIM", &[0; 6])];
        chunks.extend(vec![frame.clone(); frames]);
        webp(&chunks)
    };
    let start = Instant::now();
    inspected(&animation(1)).unwrap();
    let one = start.elapsed();
    let short = ImageLimits {
        time: one * 3,
        ..ImageLimits::default()
    };
    let refusal = inspected_within(&animation(100), short).unwrap_err();
    assert!(refusal.to_string().contains("too long"), "{refusal}");
}

#[test]
fn compressed_texts_and_profiles_are_not_expanded() {
    let clean = sample("coffee.png");
    // Large data in place of a compressed text.
    let mut bomb = b"name\0\0".to_vec();
    bomb.resize(3 << 20, 0x55);
    let texts = [png_chunk(*b"zTXt", &bomb), png_chunk(*b"iTXt", &bomb)].concat();
    let (_, served) = inspected(&inserted(&clean, 33, &texts)).unwrap();
    assert_eq!(served.len(), inspected(&clean).unwrap().1.len());
    bomb.resize((4 << 20) + 1, 0x55);
    let profile = inserted(&clean, 33, &png_chunk(*b"iCCP", &bomb));
    assert!(inspected(&profile).unwrap().1 == inspected(&clean).unwrap().1);
}

#[test]
fn a_jpeg_with_too_many_scans_is_refused() {
    let clean = sample("progressive.jpg");
    let at = position(&clean, &[0xff, 0xda]).unwrap();
    let scan = segment(0xda, &[1, 1, 0, 0, 0, 0]);
    assert!(is_too_large(&inspected(&inserted(
        &clean,
        at,
        &scan.repeat(100)
    ))));
}

#[test]
fn memory_is_known_before_decoding_and_limited() {
    let needed = |name: &str| {
        Inspection::begin(&helpers::path(name), ImageLimits::default())
            .unwrap()
            .memory_needed()
    };
    for (name, ..) in helpers::SAMPLES {
        assert!(needed(name) <= IMAGE_MEMORY, "{name}");
    }
    // It is decoded row by row.
    assert!(needed("coffee.png") < 2 << 20);
    // An image in one pass needs buffers only, a progressive one eight bytes for 64 samples.
    assert!(needed("24-megapixels.jpg") < 2 << 20);
    let progressive = needed("progressive.jpg");
    assert!(
        (1000 * 872 * 12 / 64..3 << 20).contains(&progressive),
        "{progressive}"
    );
}

/// Images of phones and cameras, and the largest of all: 64 megapixels in four colours, progressive.
#[test]
fn large_images_need_little_memory() {
    for (marker, width, height, samplings) in [
        (0xc0, 8_160_u16, 6_144_u16, &[0x22, 0x11, 0x11][..]),
        (0xc2, 8_160, 6_144, &[0x22, 0x11, 0x11]),
        (0xc2, 8_000, 8_000, &[0x11, 0x11, 0x11, 0x11]),
    ] {
        let jpeg = flat_jpeg(marker, width, height, samplings);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &jpeg).unwrap();
        let inspection = Inspection::begin(file.path(), ImageLimits::default()).unwrap();
        assert!(inspection.memory_needed() <= 40 << 20);
        let (found, _) = inspected(&jpeg).unwrap();
        assert_eq!((found.width, found.height), (width.into(), height.into()));
    }
}

#[test]
fn a_png_of_48_megapixels_is_accepted() {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 8_000, 6_000);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fastest);
    let mut writer = encoder.write_header().unwrap();
    let mut rows = writer.stream_writer().unwrap();
    let row = vec![7_u8; 3 * 8_000];
    for _ in 0..6_000 {
        rows.write_all(&row).unwrap();
    }
    rows.finish().unwrap();
    writer.finish().unwrap();
    assert!(inspected(&bytes).is_ok());
}

/// Makes an image of one colour, whose blocks are coded by as few bits as possible.
fn flat_jpeg(marker: u8, width: u16, height: u16, samplings: &[u8]) -> Vec<u8> {
    let count = u8::try_from(samplings.len()).unwrap();
    let components = (1..)
        .zip(samplings)
        .flat_map(|(id, sampling)| [id, *sampling, 0]);
    let frame = [
        &[8][..],
        &height.to_be_bytes(),
        &width.to_be_bytes(),
        &[count],
    ]
    .concat();
    let frame = [frame, components.collect()].concat();
    // One code of one bit: no difference, and the end of a block.
    let codes = [&[1][..], &[0; 15], &[0]].concat();
    let tables = [&[0][..], &codes, &[0x10], &codes].concat();
    let listed = |ids: &[u8]| {
        let count = u8::try_from(ids.len()).unwrap();
        [vec![count], ids.iter().flat_map(|id| [*id, 0]).collect()].concat()
    };
    let all: Vec<u8> = (1..=count).collect();
    let (across, down) = samplings.iter().fold((1, 1), |(across, down), sampling| {
        (
            across.max(usize::from(sampling >> 4)),
            down.max(usize::from(sampling & 15)),
        )
    });
    let units = usize::from(width).div_ceil(8 * across) * usize::from(height).div_ceil(8 * down);
    let blocks: usize = samplings
        .iter()
        .map(|s| usize::from((s >> 4) * (s & 15)))
        .sum();
    let mut parts = vec![
        b"\xff\xd8".to_vec(),
        segment(0xdb, &[&[0][..], &[1; 64]].concat()),
        segment(marker, &frame),
        segment(0xc4, &tables),
    ];
    if marker == 0xc0 {
        parts.push(segment(0xda, &[listed(&all), vec![0, 63, 0]].concat()));
        parts.push(vec![0; (units * blocks * 2).div_ceil(8)]);
    } else {
        parts.push(segment(0xda, &[listed(&all), vec![0, 0, 0]].concat()));
        parts.push(vec![0; (units * blocks).div_ceil(8)]);
        parts.push(segment(0xda, &[listed(&[1]), vec![1, 63, 0]].concat()));
        let across = usize::from(width).div_ceil(8);
        parts.push(vec![
            0;
            (across * usize::from(height).div_ceil(8)).div_ceil(8)
        ]);
    }
    parts.push(b"\xff\xd9".to_vec());
    parts.concat()
}
