//! What an image is called: by the first words about it, or by the time of its upload.

use crate::browser::clock::Zone;
use crate::model::{MessageText, Timestamp};
use crate::texts::{fill, texts};

/// The longest title, in characters.
const MAX_CHARS: usize = 60;

/// The title of an image that was uploaded at this time, and about which this was written first.
pub fn image_title(first: Option<&MessageText>, uploaded: Timestamp, zone: Zone) -> String {
    match first {
        Some(text) => one_line(text.as_str()),
        None => fill(texts().picture_of, &[("date", &zone.short_date(uploaded))]),
    }
}

/// The beginning of a text in one line, cut between words where that is possible.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let chars = word.chars().count();
        if length + chars > MAX_CHARS {
            if length == 0 {
                line.extend(word.chars().take(MAX_CHARS));
            }
            line.push('…');
            break;
        }
        if length > 0 {
            line.push(' ');
        }
        line.push_str(word);
        length += chars + 1;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(text: &str) -> String {
        let first = text.parse().ok();
        image_title(first.as_ref(), Timestamp::EPOCH, Zone::Utc)
    }

    #[test]
    fn an_image_without_messages_is_named_by_its_time() {
        assert_eq!(title(""), "Picture of 1 Jan, 00:00 UTC");
    }

    #[test]
    fn a_title_is_one_line() {
        assert_eq!(
            title("Is that foam?\n\nOr\ta  reflection"),
            "Is that foam? Or a reflection"
        );
    }

    #[test]
    fn long_texts_are_cut_between_words() {
        let sentence = "The shadow on the left side is what I would fix before all others, really";
        assert_eq!(
            title(sentence),
            "The shadow on the left side is what I would fix before all…"
        );
        assert_eq!(title(&"ä".repeat(60)), "ä".repeat(60));
        assert_eq!(title(&"ä".repeat(61)), "ä".repeat(60) + "…");
    }
}
