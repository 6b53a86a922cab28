//! Data other than the image are not served: metadata, previews, unknown parts, and what follows the end.

use crate::helpers::{
    SAMPLES, contains, frames, inserted, inspected, png_chunk, position, profile, riff_chunk,
    sample, segment, webp,
};
use app::model::MediaType;

const SECRET: &[u8] = b"<script>secret</script>";

/// Checks an image with a secret in it, and asserts that the secret is removed and the pixels are kept.
fn stripped(media_type: MediaType, clean: &[u8], dirty: &[u8]) -> Vec<u8> {
    assert!(contains(dirty, SECRET));
    let (_, served) = inspected(dirty).unwrap();
    assert!(!contains(&served, SECRET));
    assert!(frames(media_type, clean) == frames(media_type, &served));
    served
}

#[test]
fn bytes_after_the_end_are_dropped_from_every_type() {
    for (name, media_type, ..) in SAMPLES {
        if name == "24-megapixels.jpg" {
            continue;
        }
        let clean = sample(name);
        let dirty = [&clean, SECRET].concat();
        let served = stripped(media_type, &clean, &dirty);
        assert!(served == inspected(&clean).unwrap().1, "{name}");
    }
}

#[test]
fn a_second_image_and_a_video_behind_a_jpeg_are_dropped() {
    let clean = sample("grey.jpg");
    let dirty = [
        &clean,
        &sample("cmyk.jpg")[..],
        b"\0\0\0\x18ftypmp42",
        SECRET,
    ]
    .concat();
    stripped(MediaType::Jpeg, &clean, &dirty);
}

#[test]
fn a_jpegs_metadata_are_dropped() {
    let clean = sample("grey.jpg");
    let private = [
        segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
        segment(0xe0, &[b"JFXX\0\x10", SECRET].concat()),
        segment(0xe2, &[b"MPF\0", SECRET].concat()),
        segment(0xed, &[b"Photoshop 3.0\0", SECRET].concat()),
        segment(0xef, SECRET),
        segment(0xfe, SECRET),
    ]
    .concat();
    let dirty = inserted(&clean, 20, &private);
    let at_scan = position(&dirty, &[0xff, 0xda]).unwrap();
    let dirty = inserted(&dirty, at_scan, &private);
    let served = stripped(MediaType::Jpeg, &clean, &dirty);
    assert!(served == inspected(&clean).unwrap().1);
}

#[test]
fn a_jpegs_header_loses_its_thumbnail() {
    let clean = sample("grey.jpg");
    let thumbnail = [b"JFIF\0\x01\x01\x01\0\x48\0\x48\x01\x07", SECRET].concat();
    let dirty = [&clean[..2], &segment(0xe0, &thumbnail), &clean[20..]].concat();
    let served = stripped(MediaType::Jpeg, &clean, &dirty);
    assert!(contains(&served, b"JFIF\0\x01\x01\x01\0\x48\0\x48\0\0"));
}

#[test]
fn restart_markers_and_fill_bytes_do_not_end_a_jpeg() {
    let clean = sample("grey.jpg");
    // Fill bytes are allowed before any marker.
    let at_scan = position(&clean, &[0xff, 0xda]).unwrap();
    let filled = inserted(&clean, at_scan, &[0xff; 5]);
    let filled = inserted(&filled, filled.len() - 2, &[0xff; 3]);
    let (_, served) = inspected(&filled).unwrap();
    assert!(frames(MediaType::Jpeg, &clean) == frames(MediaType::Jpeg, &served));
}

#[test]
fn a_pngs_texts_times_and_unknown_chunks_are_dropped() {
    let clean = sample("coffee.png");
    let private = [
        png_chunk(*b"tEXt", &[b"Comment\0", SECRET].concat()),
        png_chunk(*b"zTXt", SECRET),
        png_chunk(*b"iTXt", SECRET),
        png_chunk(*b"tIME", SECRET),
        png_chunk(*b"eXIf", SECRET),
        png_chunk(*b"prVt", SECRET),
        png_chunk(*b"gAMA", SECRET),
    ]
    .concat();
    let dirty = inserted(&clean, 33, &private);
    let dirty = inserted(&dirty, dirty.len() - 12, &private);
    stripped(MediaType::Png, &clean, &dirty);
}

#[test]
fn a_png_keeps_displayed_chunks() {
    let clean = sample("coffee.png");
    let kept = [
        png_chunk(*b"sRGB", &[0]),
        png_chunk(*b"gAMA", &[0, 0, 0xb1, 0x8f]),
        png_chunk(*b"pHYs", &[0, 0, 0x0b, 0x13, 0, 0, 0x0b, 0x13, 1]),
    ]
    .concat();
    let (_, served) = inspected(&inserted(&clean, 33, &kept)).unwrap();
    assert!(contains(&served, &kept));
}

#[test]
fn a_rotated_png_keeps_only_its_orientation_from_exif() {
    let tiff = [
        &b"MM\0*\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\x01\x31\0\x02\0\0\0\x17\0\0\0\x26\0\0\0\0"[..],
        SECRET,
    ]
    .concat();
    let clean = sample("coffee.png");
    let dirty = inserted(&clean, 33, &png_chunk(*b"eXIf", &tiff));
    let served = stripped(MediaType::Png, &clean, &dirty);
    let (found, _) = inspected(&served).unwrap();
    assert_eq!((found.width, found.height), (400, 600));
    // Browsers ignore it after the image data.
    let late = inserted(&clean, clean.len() - 12, &png_chunk(*b"eXIf", &tiff));
    let (found, served) = inspected(&late).unwrap();
    assert_eq!((found.width, found.height), (600, 400));
    assert!(!contains(&served, b"eXIf"));
}

#[test]
fn a_gifs_comments_texts_and_foreign_data_are_dropped() {
    let clean = sample("animated.gif");
    let len = [u8::try_from(SECRET.len()).unwrap()];
    let comment = [b"\x21\xfe", &len[..], SECRET, &[0]].concat();
    let xmp = [b"\x21\xff\x0bXMP DataXMP", &len[..], SECRET, &[0]].concat();
    let text = [
        b"\x21\x01\x0c\0\0\0\0\x01\0\x01\0\x01\x01\0\0",
        &len[..],
        SECRET,
        &[0],
    ]
    .concat();
    let unknown = [b"\x21\x77", &len[..], SECRET, &[0]].concat();
    // Before the first extension, and before the trailer.
    let first = position(&clean, b"\x21\xff").unwrap();
    let private = [comment, xmp, text, unknown].concat();
    let dirty = inserted(&clean, first, &private);
    let dirty = inserted(&dirty, dirty.len() - 1, &private);
    let served = stripped(MediaType::Gif, &clean, &dirty);
    assert!(served == inspected(&clean).unwrap().1);
}

#[test]
fn a_webps_metadata_are_dropped_and_its_flags_follow() {
    let clean = inspected(&sample("animated.webp")).unwrap().1;
    let chunks = &clean[12..];
    let header = [chunks[8] | 0x0c, 0, 0, 0]
        .iter()
        .chain(&chunks[12..18])
        .copied()
        .collect::<Vec<_>>();
    let dirty = webp(&[
        riff_chunk(*b"VP8X", &header),
        riff_chunk(*b"JUNK", SECRET),
        chunks[18..].to_vec(),
        riff_chunk(*b"EXIF", SECRET),
        riff_chunk(*b"XMP ", SECRET),
    ]);
    let served = stripped(MediaType::WebP, &clean, &dirty);
    assert!(served == clean);
}

#[test]
fn an_unknown_chunk_within_a_frame_of_a_webp_is_dropped() {
    let clean = inspected(&sample("animated.webp")).unwrap().1;
    let at = position(&clean, b"ANMF").unwrap();
    let len = u32::from_le_bytes(clean[at + 4..at + 8].try_into().unwrap());
    let end = at + 8 + usize::try_from(len).unwrap();
    let frame = [&clean[at + 8..end], &riff_chunk(*b"JUNK", SECRET)].concat();
    let dirty = webp(&[
        clean[12..at].to_vec(),
        riff_chunk(*b"ANMF", &frame),
        clean[end..].to_vec(),
    ]);
    let served = stripped(MediaType::WebP, &clean, &dirty);
    assert!(served == clean);
}

#[test]
fn colour_profiles_survive_in_webp() {
    let still = inspected(&sample("transparent.webp")).unwrap().1;
    let profile = riff_chunk(*b"ICCP", &profile(400));
    let chunks = match &still[12..16] {
        b"VP8X" => still[30..].to_vec(),
        _ => still[12..].to_vec(),
    };
    let header = riff_chunk(*b"VP8X", &[0x30, 0, 0, 0, 0xff, 1, 0, 0xff, 1, 0]);
    let with_profile = webp(&[header, profile.clone(), chunks]);
    let (_, served) = inspected(&with_profile).unwrap();
    assert!(contains(&served, &profile));
    assert_eq!(served[20] & 0x20, 0x20);
}
