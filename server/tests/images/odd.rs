//! Images that browsers show although they violate their formats.

use std::fs;
use std::path::PathBuf;

use app::model::MediaType;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

use crate::helpers::{
    contains, frames, inserted, inspected, is_damaged, png, png_chunk, position, profile, sample,
    segment,
};

fn odd(name: &str) -> Vec<u8> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/images/odd");
    fs::read(directory.join(name)).unwrap()
}

fn served(bytes: &[u8]) -> Vec<u8> {
    inspected(bytes).unwrap().1
}

fn compressed_profile(unfolded: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(b"name\0\0".to_vec(), Compression::best());
    encoder.write_all(unfolded).unwrap();
    png_chunk(*b"iCCP", &encoder.finish().unwrap())
}

#[test]
fn a_jpeg_with_colours_at_a_third_of_its_width_is_accepted() {
    let before = odd("j01-sample-3x1.jpg");
    let (found, after) = inspected(&before).unwrap();
    assert_eq!((found.width, found.height), (161, 123));
    let scan = |bytes: &[u8]| bytes[position(bytes, &[0xff, 0xda]).unwrap()..].to_vec();
    assert!(scan(&before) == scan(&after));
}

#[test]
fn a_jpeg_without_its_end_marker_gets_one() {
    let before = odd("j17-no-eoi.jpg");
    assert!(served(&before).ends_with(&[0xff, 0xd9]));
    for missing in [3, 10, 100] {
        assert!(is_damaged(&inspected(&before[..before.len() - missing])));
    }
}

#[test]
fn a_progressive_jpeg_that_ends_between_two_scans_is_incomplete() {
    let whole = sample("progressive.jpg");
    let last = whole
        .windows(2)
        .rposition(|bytes| bytes == [0xff, 0xda])
        .unwrap();
    assert!(is_damaged(&inspected(&whole[..last])));
}

#[test]
fn a_jpeg_without_huffman_tables_uses_the_standards() {
    let mut bytes = sample("grey.jpg");
    // Pillow writes the standard's tables.
    while let Some(at) = position(&bytes, &[0xff, 0xc4]) {
        let len = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        bytes.drain(at..at + 2 + len);
    }
    assert!(inspected(&bytes).is_ok());
}

#[test]
fn only_a_valid_colour_profile_of_a_jpeg_is_served() {
    let clean = sample("grey.jpg");
    let part = |number: u8, of: u8, data: &[u8]| {
        segment(0xe2, &[&b"ICC_PROFILE\0"[..], &[number, of], data].concat())
    };
    let with = |parts: &[Vec<u8>]| served(&inserted(&clean, 20, &parts.concat()));
    let profile = profile(400);
    let (head, tail) = profile.split_at(100);
    for parts in [
        vec![part(1, 1, &profile)],
        vec![part(1, 2, head), part(2, 2, tail)],
        vec![part(2, 2, tail), part(1, 2, head)],
    ] {
        assert!(contains(&with(&parts), b"ICC_PROFILE\0"));
    }
    let html = b"<!doctype html>".repeat(20);
    for parts in [
        vec![part(1, 1, &html)],
        vec![part(1, 2, head)],
        vec![part(1, 1, head)],
        vec![part(1, 1, &profile), part(1, 1, &profile)],
    ] {
        assert!(with(&parts) == served(&clean));
    }
}

#[test]
fn a_png_with_a_broken_profile_loses_only_the_profile() {
    let before = odd("p05-iccp-bad-crc-gimp.png");
    let after = served(&before);
    assert!(!contains(&after, b"iCCP"));
    assert!(contains(&after, b"IDAT"));
}

#[test]
fn only_a_valid_colour_profile_of_a_png_is_served() {
    let clean = sample("coffee.png");
    let with = |chunk: &[u8]| served(&inserted(&clean, 33, chunk));
    let sound = compressed_profile(&profile(400));
    assert!(contains(&with(&sound), &sound));
    // A profile of 40 MiB, a page, and a profile with more data than its header says.
    let mut bomb = vec![0; 40 << 20];
    bomb[..400].copy_from_slice(&profile(400));
    bomb[..4].copy_from_slice(&(40_u32 << 20).to_be_bytes());
    let page = b"<!doctype html>".repeat(20);
    let more = [profile(400), b"secret".to_vec()].concat();
    for unfolded in [bomb, page, more] {
        let chunk = compressed_profile(&unfolded);
        assert!(chunk.len() < 1 << 20);
        assert!(with(&chunk) == served(&clean));
    }
}

#[test]
fn late_and_repeated_chunks_of_a_png_are_dropped() {
    let rows = sample("coffee.png");
    let gamma = png_chunk(*b"gAMA", &[0, 0, 0xb1, 0x8f]);
    let other = png_chunk(*b"gAMA", &[0, 1, 0, 0]);
    let twice = served(&inserted(
        &rows,
        33,
        &[gamma.clone(), other.clone()].concat(),
    ));
    assert!(contains(&twice, &gamma) && !contains(&twice, &other));
    let late = served(&inserted(&rows, rows.len() - 12, &gamma));
    assert!(!contains(&late, &gamma));
}

#[test]
fn data_behind_the_image_data_of_a_png_are_ignored() {
    let whole = sample("coffee.png");
    let end = whole.len() - 12;
    let wrong = png_chunk(*b"IENX", b"");
    let ends: [&[u8]; 4] = [b"", b"\0\0", &wrong, b"\xff\xff\xff\xffIEND"];
    for end_chunk in ends {
        let changed = [&whole[..end], end_chunk].concat();
        assert!(served(&changed) == served(&whole), "{end_chunk:?}");
    }
}

/// Makes an animation of frames with a control each. With `begins_with_still`, the still image has a control too.
fn animation(promised: u32, frames: u32, begins_with_still: bool, skipped: u32) -> Vec<u8> {
    let mut data = ZlibEncoder::new(Vec::new(), Compression::fast());
    data.write_all(&[0, 9]).unwrap();
    let data = data.finish().unwrap();
    let mut sequence = 0;
    let mut next = || {
        sequence += 1;
        sequence - 1
    };
    let control = |number: u32| {
        let words = [number, 1, 1, 0, 0].map(u32::to_be_bytes).concat();
        png_chunk(*b"fcTL", &[&words[..], &[0, 1, 0, 10, 0, 0]].concat())
    };
    let mut chunks = vec![png_chunk(
        *b"acTL",
        &[promised, 0].map(u32::to_be_bytes).concat(),
    )];
    if begins_with_still {
        chunks.push(control(next()));
    }
    chunks.push(png_chunk(*b"IDAT", &data));
    for frame in 0..frames {
        let skip = if frame + 1 == frames { skipped } else { 0 };
        chunks.push(control(next() + skip));
        chunks.push(png_chunk(
            *b"fdAT",
            &[&(next() + skip).to_be_bytes()[..], &data].concat(),
        ));
    }
    png(1, 1, &chunks)
}

fn promised(bytes: &[u8]) -> Option<u8> {
    position(bytes, b"acTL").map(|at| bytes[at + 7])
}

#[test]
fn an_animation_with_a_wrong_number_of_frames_becomes_its_still_image() {
    let after = served(&odd("a01-actl-says-3.png"));
    for kind in [b"acTL", b"fcTL", b"fdAT"] {
        assert!(!contains(&after, kind));
    }
    assert!(contains(&after, b"IDAT"));
    // Two frames, of which the first is the still image.
    assert_eq!(promised(&served(&animation(2, 1, true, 0))), Some(2));
    for lying in [
        animation(3, 1, true, 0),
        animation(1, 1, true, 0),
        animation(u32::MAX, 1, true, 0),
        animation(2, 1, true, 1),
    ] {
        assert_eq!(promised(&served(&lying)), None);
    }
}

#[test]
fn an_animation_without_its_still_image_keeps_its_valid_frames() {
    assert_eq!(promised(&served(&animation(3, 3, false, 0))), Some(3));
    for (lying, kept) in [
        (animation(5, 3, false, 0), 3),
        (animation(2, 3, false, 0), 2),
        (animation(3, 3, false, 1), 2),
    ] {
        let after = served(&lying);
        assert_eq!(promised(&after), Some(kept));
        assert_eq!(frames(MediaType::Png, &after).len(), usize::from(kept));
    }
}

#[test]
fn a_broken_frame_leaves_the_still_image_and_a_missing_one_is_refused() {
    let mut broken = animation(2, 1, true, 0);
    let at = position(&broken, b"fdAT").unwrap();
    broken[at + 9] ^= 0xff;
    assert_eq!(promised(&served(&broken)), None);
    let whole = animation(2, 1, true, 0);
    for cut in at..whole.len() {
        assert!(is_damaged(&inspected(&whole[..cut])), "{cut}");
    }
}
