//! What users write: short and long, in several scripts, and text that looks like something else.

use app::model::MAX_MESSAGE_CHARS;
use rand::RngExt;
use rand::rngs::StdRng;

/// One of so many messages is as long as is allowed.
const LONG_RATIO: u32 = 40;
/// Characters of the others, at most.
const MAX_SHORT: usize = 200;
/// What long texts repeat: characters of three and four bytes.
const WIDE: &str = "狐の木\u{1f98a}\u{1f33f}";
const PIECES: [&str; 8] = [
    "look here ",
    "größer als ",
    "見て ",
    "\u{1f98a}\u{200d}\u{1f33f} ",
    "<script>alert(1)</script> ",
    "a\n\tb ",
    "\\u0000 \"quoted\" \\ ",
    "message\r\n$7\r\n ",
];

/// What follows the name in a marker. No space: of a text that is only a marker it would be trimmed. Not one character:
/// in an index of SQLite a number follows the name, and a byte of it may be any character.
pub const MARKER_END: &str = ":=:";

/// What is in each part of the text with this name, and nowhere else.
pub fn marker(name: &str) -> String {
    format!("{name}{MARKER_END}")
}

/// A text in which the marker of `name` comes again and again, so that each part of it can be found; where `is_long` it
/// is as long as is allowed.
pub fn random_text(name: &str, is_long: bool, rng: &mut StdRng) -> String {
    let length = if is_long || rng.random_ratio(1, LONG_RATIO) {
        MAX_MESSAGE_CHARS
    } else {
        rng.random_range(0..MAX_SHORT)
    };
    let marker = marker(name);
    let mut text = marker.clone();
    let mut chars = text.chars().count();
    while chars < length {
        let piece = if is_long {
            WIDE
        } else {
            PIECES[rng.random_range(0..PIECES.len())]
        };
        for part in [piece, &marker] {
            text.push_str(part);
            chars += part.chars().count();
        }
    }
    text.chars().take(length.max(marker.len())).collect()
}
