//! Images that are incomplete or changed.

use std::time::{Duration, Instant};

use app::model::MediaType;

use crate::helpers;
use crate::helpers::{
    SAMPLES, XorShift, codings, inspected, is_damaged, png, png_chunk, position, sample,
};
use server::image::ImageError;

/// Lengths to cut a file of this length to: evenly spread, and close to both ends.
fn truncations(len: usize) -> Vec<usize> {
    let even = (0..40).map(|index| index * len / 40);
    let head = [1, 2, 3, 13, 30];
    let tail = [4, 8, 13, 40].map(|missing| len - missing);
    even.chain(head).chain(tail).collect()
}

/// How many last bytes are not needed: an end marker, or an end chunk and the last checksum.
fn optional_tail(media_type: MediaType) -> usize {
    match media_type {
        MediaType::Jpeg => 3,
        MediaType::Png => 12,
        _ => 0,
    }
}

/// Except GIFs, which are shown as far as they go.
#[test]
fn every_incomplete_sample_is_refused() {
    for (name, media_type, ..) in SAMPLES {
        if media_type == MediaType::Gif {
            continue;
        }
        let whole = sample(name);
        for cut in truncations(whole.len() - optional_tail(media_type)) {
            let result = inspected(&whole[..cut]);
            // Below twelve bytes the type is not always known.
            let is_refused =
                is_damaged(&result) || cut < 12 && result == Err(ImageError::UnknownType);
            assert!(is_refused, "{name} cut to {cut}: {result:?}");
        }
    }
}

#[test]
fn a_missing_end_of_a_jpeg_or_png_is_added() {
    for (name, media_type, ..) in SAMPLES {
        let len = match media_type {
            MediaType::Jpeg => 2,
            MediaType::Png => 12,
            _ => continue,
        };
        let whole = sample(name);
        let served = inspected(&whole).unwrap().1;
        for missing in 1..=len {
            let (_, repaired) = inspected(&whole[..whole.len() - missing]).unwrap();
            // A half of the marker becomes a fill byte.
            assert!(
                repaired.len() - served.len() <= 1,
                "{name} without {missing}"
            );
            assert!(repaired[..served.len() - 1] == served[..served.len() - 1]);
        }
    }
}

#[test]
fn an_incomplete_jpeg_with_an_end_marker_is_refused() {
    for name in [
        "24-megapixels.jpg",
        "progressive.jpg",
        "grey.jpg",
        "cmyk.jpg",
    ] {
        let whole = sample(name);
        for percent in [50, 90, 99] {
            let mut cut = whole[..whole.len() * percent / 100].to_vec();
            cut.extend([0xff, 0xd9]);
            assert!(is_damaged(&inspected(&cut)), "{name} at {percent} %");
        }
    }
}

#[test]
fn every_incomplete_small_image_is_refused() {
    for (name, media_type, whole) in codings() {
        // An animation must be complete up to its end chunk.
        let tail = if name.contains("animated") {
            0
        } else {
            optional_tail(media_type)
        };
        for cut in 12..whole.len() - tail {
            assert!(is_damaged(&inspected(&whole[..cut])), "{name} cut to {cut}");
        }
    }
}

/// Changes one bit at a time. The result may be accepted or not, but nothing may panic out of the check or hang.
fn survives_changed_bits(name: &str, whole: &[u8], count: usize) {
    let mut random = XorShift(0x5eed_0042);
    for _ in 0..count {
        let mut changed = whole.to_vec();
        let index = random.below(changed.len());
        changed[index] ^= 1 << random.below(8);
        let start = Instant::now();
        let result = inspected(&changed);
        assert!(
            !matches!(result, Err(ImageError::Unavailable)),
            "{name}, byte {index}"
        );
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{name}, byte {index}"
        );
    }
}

#[test]
fn changed_bits_in_a_jpeg_are_handled() {
    survives_changed_bits("grey.jpg", &sample("grey.jpg"), 200);
    survives_changed_bits("cmyk.jpg", &sample("cmyk.jpg"), 100);
    survives_changed_bits("progressive.jpg", &sample("progressive.jpg"), 20);
}

#[test]
fn changed_bits_in_a_png_are_handled() {
    survives_changed_bits("16-bit-grey.png", &sample("16-bit-grey.png"), 200);
}

#[test]
fn changed_bits_in_a_gif_are_handled() {
    survives_changed_bits("animated.gif", &sample("animated.gif"), 200);
}

#[test]
fn changed_bits_in_a_webp_are_handled() {
    survives_changed_bits("transparent.webp", &sample("transparent.webp"), 200);
    survives_changed_bits("animated.webp", &sample("animated.webp"), 100);
}

#[test]
fn changed_bits_in_small_images_are_handled() {
    for (name, _, whole) in codings() {
        survives_changed_bits(&name, &whole, 200);
    }
}

/// The first bytes contain the containers' headers, where a changed bit has the largest effect.
#[test]
fn changed_bits_in_headers_are_handled() {
    for (name, ..) in SAMPLES {
        let mut whole = sample(name);
        whole.truncate(20_000);
        for index in 0..160 {
            for bit in [0, 7] {
                whole[index] ^= 1 << bit;
                // The rest may be a complete image if the header now says that it is smaller.
                let result = inspected(&whole);
                assert_ne!(result, Err(ImageError::Unavailable), "{name}, byte {index}");
                whole[index] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn a_wrong_checksum_is_refused_in_image_data_and_drops_other_chunks() {
    let clean = sample("coffee.png");
    let data = position(&clean, b"IDAT").unwrap();
    let mut changed = clean.clone();
    changed[data + 100] ^= 1;
    assert!(is_damaged(&inspected(&changed)));

    let gamma = png_chunk(*b"gAMA", &[0, 0, 0xb1, 0x8f]);
    let mut whole = helpers::inserted(&clean, 33, &gamma);
    assert!(helpers::contains(&inspected(&whole).unwrap().1, &gamma));
    whole[33 + 9] ^= 1;
    assert!(inspected(&whole).unwrap().1 == inspected(&clean).unwrap().1);
}

#[test]
fn containers_without_an_image_are_refused() {
    let no_data = png(1, 1, &[]);
    let empty_gif = b"GIF89a\x01\0\x01\0\0\0\0\x3b";
    let empty_jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9";
    let empty_webp = helpers::webp(&[]);
    for bytes in [&no_data[..], empty_gif, empty_jpeg, &empty_webp] {
        assert!(is_damaged(&inspected(bytes)));
    }
}

/// Makes a zlib stream of uncompressed bytes (RFC 1950), with its checksum (Adler-32).
fn stored(rows: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rows.len()).unwrap();
    let head = [
        &[0x78, 0x01, 1][..],
        &len.to_le_bytes(),
        &(!len).to_le_bytes(),
    ]
    .concat();
    let (mut a, mut b) = (1_u32, 0);
    for byte in rows {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    [&head[..], rows, &(b << 16 | a).to_be_bytes()].concat()
}

#[test]
fn other_bytes_in_a_pngs_image_data_are_removed() {
    let image = |parts: &[&[u8]]| {
        let parts: Vec<_> = parts.iter().map(|part| png_chunk(*b"IDAT", part)).collect();
        png(2, 2, &parts)
    };
    let rows = [0, 1, 2, 0, 3, 4];
    let whole = stored(&rows);
    let secret = b"a secret after the pixels";
    let (head, tail) = whole.split_at(9);
    let clean = image(&[&whole]);
    assert!(inspected(&clean).unwrap().1 == clean);
    assert!(inspected(&image(&[head, b"", tail, b""])).is_ok());
    for parts in [
        &[&[&whole[..], secret].concat()[..]][..],
        &[&whole, secret],
        &[&stored(&[&rows[..], secret].concat())],
        &[&whole[..whole.len() - 4]],
    ] {
        let (_, served) = inspected(&image(parts)).unwrap();
        assert!(!helpers::contains(&served, secret), "{parts:?}");
        assert!(
            helpers::frames(MediaType::Png, &clean) == helpers::frames(MediaType::Png, &served),
            "{parts:?}"
        );
    }
    assert!(is_damaged(&inspected(&image(&[&stored(&rows[..5])]))));
    // An image that browsers do not show is not repaired.
    let mut broken = image(&[&whole, secret]);
    let at = position(&broken, b"IDAT").unwrap() + 4 + whole.len();
    broken[at] ^= 1;
    assert!(is_damaged(&inspected(&broken)));
}

#[test]
fn a_wrong_checksum_of_a_pngs_rows_is_ignored() {
    let mut whole = stored(&[0, 1, 2, 0, 3, 4]);
    *whole.last_mut().unwrap() ^= 1;
    let image = png(2, 2, &[png_chunk(*b"IDAT", &whole)]);
    assert!(inspected(&image).unwrap().1 == image);
}

#[test]
fn pngs_of_every_layout_are_accepted() {
    use png::{BitDepth, ColorType, Encoder};
    for (colour, depth) in [
        (ColorType::Grayscale, BitDepth::One),
        (ColorType::Grayscale, BitDepth::Four),
        (ColorType::GrayscaleAlpha, BitDepth::Eight),
        (ColorType::Rgb, BitDepth::Sixteen),
        (ColorType::Rgba, BitDepth::Eight),
    ] {
        for (width, height) in [(1, 1), (13, 7), (400, 300)] {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, width, height);
            encoder.set_color(colour);
            encoder.set_depth(depth);
            encoder.set_animated(2, 0).unwrap();
            let row = (colour.samples() * depth as usize * width as usize).div_ceil(8);
            let mut writer = encoder.write_header().unwrap();
            for value in [0, 0x55] {
                let pixels = vec![value; row * height as usize];
                writer.write_image_data(&pixels).unwrap();
            }
            writer.finish().unwrap();
            assert!(inspected(&bytes).is_ok(), "{colour:?} {depth:?} {width}");
        }
    }
}

/// 5 by 3 pixels of 8 bits. The third pass is empty.
#[test]
fn an_interlaced_png_has_the_rows_of_its_passes() {
    let mut rows = Vec::new();
    for (width, height) in [(1, 1), (1, 1), (0, 0), (1, 1), (3, 1), (2, 2), (5, 1)] {
        for _ in 0..height {
            rows.extend(vec![0; width + 1]);
        }
    }
    let interlaced = |rows: &[u8]| {
        let header = [0, 0, 0, 5, 0, 0, 0, 3, 8, 0, 0, 0, 1];
        let chunks = [
            png_chunk(*b"IHDR", &header),
            png_chunk(*b"IDAT", &stored(rows)),
            png_chunk(*b"IEND", b""),
        ];
        inspected(&[&b"\x89PNG\r\n\x1a\n"[..], &chunks.concat()].concat())
    };
    assert!(interlaced(&rows).is_ok());
    assert!(is_damaged(&interlaced(&rows[1..])));
}
