//! What people write: short and long, in several scripts, and text that looks like something else.

use app::model::MAX_MESSAGE_CHARS;
use rand::RngExt;
use rand::rngs::StdRng;

/// One of so many messages is as long as is allowed.
const LONG: u32 = 40;
/// Characters of the others, at most.
const SHORT: usize = 200;
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

/// A text that begins with `name`, so that no two are alike; where `is_long` it is as long as is allowed.
pub fn some(name: &str, is_long: bool, chance: &mut StdRng) -> String {
    let length = if is_long || chance.random_ratio(1, LONG) {
        MAX_MESSAGE_CHARS
    } else {
        chance.random_range(0..SHORT)
    };
    let mut text = format!("{name}: ");
    let mut characters = text.chars().count();
    while characters < length {
        let piece = if is_long {
            WIDE
        } else {
            PIECES[chance.random_range(0..PIECES.len())]
        };
        text.push_str(piece);
        characters += piece.chars().count();
    }
    text.chars().take(length.max(name.len() + 1)).collect()
}

#[cfg(test)]
mod tests {
    use app::model::MessageText;
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_text_is_one_that_is_allowed() {
        let mut chance = StdRng::seed_from_u64(1);
        let mut longest = 0;
        for number in 0..2_000 {
            let text = some(&format!("c1-{number}"), false, &mut chance);
            let parsed: MessageText = text.parse().unwrap();
            assert!(parsed.as_str().starts_with(&format!("c1-{number}:")));
            longest = longest.max(text.chars().count());
        }
        assert_eq!(longest, MAX_MESSAGE_CHARS);
    }

    #[test]
    fn long_texts_are_as_long_as_is_allowed() {
        let text = some("c1-1", true, &mut StdRng::seed_from_u64(1));
        assert_eq!(text.chars().count(), MAX_MESSAGE_CHARS);
        assert!(text.len() > 3 * MAX_MESSAGE_CHARS);
        assert!(text.parse::<MessageText>().is_ok());
    }
}
