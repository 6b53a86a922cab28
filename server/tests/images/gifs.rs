//! GIFs are served as far as browsers show them.

use app::model::MediaType;

use crate::helpers::{
    contains, frames, inserted, inspected, is_damaged, is_too_large, last_position, position,
    sample,
};

const TRAILER: &[u8] = &[0x3b];

/// Makes a header, screen and a global palette of two colours.
fn head(width: u16, height: u16) -> Vec<u8> {
    let [w, h] = [width, height].map(u16::to_le_bytes);
    [
        b"GIF89a",
        &w[..],
        &h,
        &[0x80, 0, 0],
        &[0, 0, 0, 255, 255, 255],
    ]
    .concat()
}

/// Makes a frame of one colour: 2 by 2 pixels at this position.
fn frame(x: u16, y: u16) -> Vec<u8> {
    let [x, y] = [x, y].map(u16::to_le_bytes);
    [
        &[0x2c],
        &x[..],
        &y,
        &[2, 0, 2, 0, 0, 2, 3, 0x04, 0x80, 0x02, 0],
    ]
    .concat()
}

fn loops(count: u8) -> Vec<u8> {
    [&b"\x21\xff\x0bNETSCAPE2.0\x03\x01"[..], &[count, 0, 0]].concat()
}

fn control(delay: u8) -> Vec<u8> {
    vec![0x21, 0xf9, 4, 4, delay, 0, 0, 0]
}

fn served(parts: &[&[u8]]) -> Vec<u8> {
    let (_, served) = inspected(&parts.concat()).unwrap();
    let (_, again) = inspected(&served).unwrap();
    assert!(again == served, "a served image is served unchanged");
    served
}

#[test]
fn a_gif_ends_where_browsers_stop_reading() {
    let whole = [&head(2, 2)[..], &frame(0, 0), TRAILER].concat();
    for junk in [
        &b"\0"[..],
        b"\x55",
        b"\x21\xf9\x05\0\0\0\0\0\0",
        b"\x21\xf9\x04\0",
    ] {
        let rest = [junk, &frame(0, 0), b"a secret", TRAILER].concat();
        assert_eq!(served(&[&head(2, 2), &frame(0, 0), &rest]), whole);
        assert!(is_damaged(&inspected(
            &[&head(2, 2)[..], junk, &frame(0, 0), TRAILER].concat()
        )));
    }
    let (found, served) = inspected(&sample("odd/g02-nul-between.gif")).unwrap();
    assert_eq!((found.width, found.height), (40, 30));
    assert_eq!(frames(MediaType::Gif, &served).len(), 1);
}

#[test]
fn an_incomplete_gif_is_served_as_far_as_it_goes_with_a_trailer() {
    let whole = sample("animated.gif");
    let clean = inspected(&whole).unwrap().1;
    let first_frame = position(&clean, &[0x2c]).unwrap();
    for index in 1..40 {
        let cut = &clean[..index * clean.len() / 40];
        let (found, served) = inspected(cut).unwrap();
        assert_eq!((found.width, found.height), (320, 214));
        assert!(served.ends_with(&[0, 0x3b]));
        assert!(served[..first_frame] == clean[..first_frame]);
        assert!(inspected(&served).unwrap().1 == served);
    }
    let end = last_position(&clean, TRAILER);
    assert!(inspected(&clean[..end]).unwrap().1 == clean);
    assert!(is_damaged(&inspected(&clean[..first_frame])));
}

#[test]
fn an_incomplete_data_block_is_shortened() {
    let whole = frame(0, 0);
    let start = [&head(2, 2)[..], &whole[..11]].concat();
    for (rest, closed) in [
        (&[][..], &[0][..]),
        (&[3], &[0]),
        (&[3, 4], &[1, 4, 0]),
        (&[3, 4, 0x80, 2], &[3, 4, 0x80, 2, 0]),
    ] {
        let expected = [&start[..], closed, TRAILER].concat();
        assert_eq!(served(&[&start, rest]), expected, "{rest:?}");
    }
}

#[test]
fn a_frame_with_too_little_data_is_served_unchanged() {
    let bytes = sample("odd/g06-short-data.gif");
    let (found, served) = inspected(&bytes).unwrap();
    assert_eq!((found.width, found.height), (40, 30));
    let image = position(&bytes, &[0x2c, 0, 0, 0, 0]).unwrap();
    assert!(served.ends_with(&bytes[image..]));
}

#[test]
fn only_the_first_frame_enlarges_the_screen() {
    for (width, height) in [(2, 2), (0, 0)] {
        let bytes = [
            &head(width, height)[..],
            &frame(1, 3),
            &frame(9, 9),
            TRAILER,
        ]
        .concat();
        let (found, served) = inspected(&bytes).unwrap();
        assert_eq!((found.width, found.height), (3, 5));
        assert_eq!(served[6..10], [3, 0, 5, 0]);
        assert!(served[10..] == bytes[10..]);
    }
    let (found, served) = inspected(&sample("odd/g03-frame-larger.gif")).unwrap();
    assert_eq!((found.width, found.height), (40, 30));
    assert_eq!(frames(MediaType::Gif, &served).len(), 2);
    let far = [&head(2, 2)[..], &frame(40_000, 0), TRAILER].concat();
    assert!(is_too_large(&inspected(&far)));
}

#[test]
fn a_gif_without_an_image_is_refused() {
    let text = b"\x21\x01\x0c\0\0\0\0\x02\0\x02\0\x01\x01\0\0\x02hi\0";
    let mut flat = frame(0, 0);
    flat[7] = 0;
    for bytes in [
        [&head(2, 2)[..], TRAILER].concat(),
        [&head(2, 2)[..], text, TRAILER].concat(),
        [&head(2, 0)[..], &flat, TRAILER].concat(),
    ] {
        assert!(is_damaged(&inspected(&bytes)));
    }
}

#[test]
fn the_last_number_of_loops_is_used() {
    let (first, second) = (frame(0, 0), [control(9), frame(0, 0)].concat());
    let many = served(&[
        &head(2, 2),
        &loops(3),
        &loops(5),
        &first,
        &second,
        &loops(7),
        TRAILER,
    ]);
    let few = [&head(2, 2), &loops(5), &first, &second, &loops(7), TRAILER].concat();
    assert_eq!(many, few);
}

#[test]
fn a_graphic_control_applies_to_the_next_image() {
    let text = b"\x21\x01\x0c\0\0\0\0\x02\0\x02\0\x01\x01\0\0\x02hi\0";
    let found = served(&[
        &head(2, 2),
        &control(1),
        &control(9),
        text,
        &frame(0, 0),
        TRAILER,
    ]);
    assert_eq!(
        found,
        [&head(2, 2), &control(9), &frame(0, 0), TRAILER].concat()
    );
}

#[test]
fn palettes_may_be_missing() {
    let mut bytes = [&head(2, 2)[..10], &[0, 0, 0], &frame(0, 0), TRAILER].concat();
    assert_eq!(served(&[&bytes]), bytes);
    bytes = inserted(&bytes, bytes.len(), b"a secret");
    assert!(!contains(&served(&[&bytes]), b"secret"));
}
