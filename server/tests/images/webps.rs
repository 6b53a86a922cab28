//! `WebP`s are read by the same rules as in browsers.

use crate::helpers::{
    codings, contains, inspected, is_damaged, position, profile, riff_chunk, sample, webp,
};

const ALPHA: u8 = 0x10;
const ANIMATION: u8 = 0x02;
const PROFILE: u8 = 0x20;

fn coding(name: &str) -> Vec<u8> {
    let mut all = codings().into_iter();
    all.find(|(found, ..)| found == name).unwrap().2
}

/// Returns the chunks of a container: kind and data.
fn chunks(mut bytes: &[u8]) -> Vec<([u8; 4], Vec<u8>)> {
    let mut found = Vec::new();
    while let Some((kind, rest)) = bytes.split_first_chunk() {
        let (len, rest) = rest.split_first_chunk().unwrap();
        let len = usize::try_from(u32::from_le_bytes(*len)).unwrap();
        found.push((*kind, rest[..len].to_vec()));
        bytes = &rest[len + len % 2..];
    }
    found
}

/// Makes an extended header with these features and size.
fn header(flags: u8, width: u8, height: u8) -> Vec<u8> {
    riff_chunk(
        *b"VP8X",
        &[flags, 0, 0, 0, width - 1, 0, 0, height - 1, 0, 0],
    )
}

/// Returns the header, animation header and frames of an animation with alpha.
fn animation() -> (Vec<u8>, Vec<u8>, Vec<Vec<u8>>) {
    let mut all = chunks(&coding("animated-alpha.webp")[12..]).into_iter();
    let (header, animation) = (all.next().unwrap().1, all.next().unwrap().1);
    (header, animation, all.map(|(_, data)| data).collect())
}

fn animated(header: &[u8], animation: &[u8], frames: &[Vec<u8>]) -> Vec<u8> {
    let frames = frames.iter().map(|frame| riff_chunk(*b"ANMF", frame));
    let start = [
        riff_chunk(*b"VP8X", header),
        riff_chunk(*b"ANIM", animation),
    ];
    webp(&start.into_iter().chain(frames).collect::<Vec<_>>())
}

fn lossy() -> Vec<u8> {
    chunks(&coding("lossy.webp")[12..]).remove(0).1
}

#[test]
fn images_that_no_browser_shows_are_refused() {
    assert!(is_damaged(&inspected(&sample("odd/w14-vp8-noshow.webp"))));
    let lossy = lossy();
    let changed = |change: fn(&mut Vec<u8>)| {
        let mut changed = lossy.clone();
        change(&mut changed);
        webp(&[riff_chunk(*b"VP8 ", &changed)])
    };
    assert!(inspected(&changed(|_| {})).is_ok());
    for damaged in [
        changed(|data| data[0] &= !0x10),
        changed(|data| data[0] |= 0x0e),
        changed(|data| data[2] = 0xff),
    ] {
        assert!(is_damaged(&inspected(&damaged)));
    }
    let image = riff_chunk(*b"VP8 ", &lossy);
    for chunks in [
        vec![header(0x40, 37, 29), image.clone()],
        vec![header(0, 37, 29), image.clone(), image.clone()],
        vec![
            header(ALPHA, 37, 29),
            image.clone(),
            riff_chunk(*b"ALPH", &[0; 1_074]),
        ],
        vec![header(ANIMATION, 37, 29), image],
    ] {
        assert!(is_damaged(&inspected(&webp(&chunks))));
    }
}

#[test]
fn an_animation_with_a_hidden_frame_is_refused() {
    let (header, animation, mut frames) = animation();
    let pixels = position(&frames[1], b"VP8 ").unwrap() + 8;
    frames[1][pixels] &= !0x10;
    assert!(is_damaged(&inspected(&animated(
        &header, &animation, &frames
    ))));
}

#[test]
fn alpha_that_is_not_announced_is_not_served() {
    let bytes = sample("odd/w06-alpha-flag-missing.webp");
    let (_, served) = inspected(&bytes).unwrap();
    assert_eq!(served[20], 0);
    assert!(!contains(&served, b"ALPH"));
    let pixels = position(&bytes, b"VP8 ").unwrap();
    assert!(served.ends_with(&bytes[pixels..]));
}

#[test]
fn an_animations_alpha_flag_is_kept() {
    let (mut header, animation, frames) = animation();
    for flags in [ANIMATION, ANIMATION | ALPHA] {
        header[0] = flags;
        let bytes = animated(&header, &animation, &frames);
        assert!(inspected(&bytes).unwrap().1 == bytes);
    }
}

#[test]
fn an_animation_with_a_damaged_later_frame_is_served_unchanged() {
    let (header, animation, frames) = animation();
    for index in [0, 1] {
        let mut frames = frames.clone();
        frames[index][40..80].fill(0xff);
        let bytes = animated(&header, &animation, &frames);
        match index {
            0 => assert!(is_damaged(&inspected(&bytes))),
            _ => assert!(inspected(&bytes).unwrap().1 == bytes),
        }
    }
}

#[test]
fn wrong_sizes_and_empty_frames_of_an_animation_are_repaired() {
    let (header, animation, frames) = animation();
    let clean = animated(&header, &animation, &frames);
    let repaired = |header: &[u8], animation: &[u8], frames: &[Vec<u8>]| {
        inspected(&animated(header, animation, frames)).unwrap().1 == clean
    };
    assert!(repaired(
        &header,
        &[&animation[..], b"more"].concat(),
        &frames
    ));
    let mut wrong = frames.clone();
    wrong[1][6] = 3;
    assert!(repaired(&header, &animation, &wrong));
    let mut empty = frames.clone();
    empty.insert(1, frames[0][..16].to_vec());
    assert!(repaired(&header, &animation, &empty));
}

#[test]
fn misplaced_frames_of_an_animation_are_refused() {
    let (header, animation, frames) = animation();
    let start = riff_chunk(*b"VP8X", &header);
    let animation = riff_chunk(*b"ANIM", &animation);
    let frame = riff_chunk(*b"ANMF", &frames[0]);
    let image = riff_chunk(*b"VP8 ", &lossy());
    let twice = riff_chunk(*b"ANMF", &[&frames[0][..], &frames[0][16..]].concat());
    let late = [&frames[0][..16], b"JUNK\x02\0\0\0hi", &frames[0][16..]].concat();
    for chunks in [
        [&start, &frame, &animation],
        [&start, &animation, &twice],
        [&start, &animation, &riff_chunk(*b"ANMF", &late)],
        [&start, &animation, &[&frame[..], &image].concat()],
    ] {
        assert!(is_damaged(&inspected(&webp(&chunks.map(Clone::clone)))));
    }
}

#[test]
fn only_a_valid_colour_profile_is_served() {
    let image = riff_chunk(*b"VP8 ", &lossy());
    let with = |flags, data: &[u8]| {
        let bytes = webp(&[
            header(flags, 37, 29),
            riff_chunk(*b"ICCP", data),
            image.clone(),
        ]);
        (inspected(&bytes).unwrap().1, bytes)
    };
    let (served, whole) = with(PROFILE, &profile(500));
    assert!(served == whole);
    let page = b"<!DOCTYPE html><script>alert(1)</script>".repeat(9);
    for (flags, data) in [
        (PROFILE, page),
        (PROFILE, profile(4 * 1024 * 1024 + 1)),
        (0, profile(500)),
    ] {
        let (served, _) = with(flags, &data);
        assert!(!contains(&served, b"ICCP"));
        assert_eq!(served[20], 0);
    }
}
