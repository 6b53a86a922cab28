//! Real images are accepted: pixels, animation, transparency and colours are kept, private data are removed.

use crate::helpers::{SAMPLES, codings, contains, frames, inspected, sample};
use app::model::MediaType;

#[test]
fn every_sample_is_accepted_with_its_type_and_displayed_size() {
    for (name, media_type, width, height) in SAMPLES {
        let (found, _) = inspected(&sample(name)).unwrap();
        assert_eq!(
            (found.media_type, found.width, found.height),
            (media_type, width, height),
            "{name}"
        );
    }
}

#[test]
fn every_frame_of_every_sample_keeps_its_pixels() {
    for (name, media_type, ..) in SAMPLES {
        let before = sample(name);
        let (_, after) = inspected(&before).unwrap();
        let (before, after) = (frames(media_type, &before), frames(media_type, &after));
        assert_eq!(before.len(), after.len(), "{name}");
        // Not `assert_eq`, which would print millions of bytes.
        assert!(before == after, "{name}");
    }
}

#[test]
fn unusual_codings_keep_their_pixels() {
    let codings = codings();
    assert!(codings.len() > 10);
    for (name, media_type, before) in codings {
        let (found, after) = inspected(&before).unwrap_or_else(|error| panic!("{name}: {error}"));
        let side = if name.contains("halved") {
            (32, 32)
        } else {
            (37, 29)
        };
        assert_eq!((found.width, found.height), side, "{name}");
        let (before, after) = (frames(media_type, &before), frames(media_type, &after));
        assert_eq!(before.len() > 1, name.contains("animated"), "{name}");
        assert!(before == after, "{name}");
    }
}

#[test]
fn a_served_image_is_served_unchanged_when_uploaded_again() {
    for (name, ..) in SAMPLES {
        let (first, served) = inspected(&sample(name)).unwrap();
        let (second, again) = inspected(&served).unwrap();
        assert_eq!(first, second, "{name}");
        assert!(served == again, "{name}");
    }
}

#[test]
fn a_phone_photo_keeps_orientation_and_colours_and_loses_private_data() {
    let before = sample("phone-rotated-gps.jpg");
    assert!(contains(&before, b"SERIAL-0042"));
    let (_, served) = inspected(&before).unwrap();
    for private in [
        &b"SERIAL-0042"[..],
        b"Acme",
        b"Phone 1",
        b"private-software-tag",
    ] {
        assert!(!contains(&served, private));
    }
    // No thumbnail: there is only one start of an image.
    let starts = served
        .windows(3)
        .filter(|bytes| *bytes == b"\xff\xd8\xff")
        .count();
    assert_eq!(starts, 1);
    assert!(contains(&served, b"ICC_PROFILE\0"));

    let exif = exif::Reader::new()
        .read_from_container(&mut std::io::Cursor::new(&served))
        .unwrap();
    assert_eq!(exif.fields().len(), 1);
    let orientation = exif
        .get_field(exif::Tag::Orientation, exif::In::PRIMARY)
        .unwrap();
    assert_eq!(orientation.value.get_uint(0), Some(6));
}

#[test]
fn animations_keep_their_frames_and_loops() {
    for (name, media_type) in [
        ("animated.gif", MediaType::Gif),
        ("animated.webp", MediaType::WebP),
    ] {
        let (_, served) = inspected(&sample(name)).unwrap();
        assert!(frames(media_type, &served).len() > 1, "{name}");
    }
    let loops = |bytes: &[u8]| gif::Decoder::new(bytes).unwrap().repeat();
    let before = sample("animated.gif");
    let (_, after) = inspected(&before).unwrap();
    assert_eq!(loops(&before), loops(&after));
}

#[test]
fn a_transparent_image_stays_transparent() {
    let (_, served) = inspected(&sample("transparent.webp")).unwrap();
    let decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(served)).unwrap();
    assert!(decoder.has_alpha());
}
