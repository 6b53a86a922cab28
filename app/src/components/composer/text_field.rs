use leptos::ev::KeyboardEvent;
use leptos::prelude::window;
use web_sys::HtmlTextAreaElement;

use crate::model::MAX_MESSAGE_CHARS;
use crate::texts::{counted, fill, texts};

/// The number of remaining characters is shown when there are at most this many.
const WARN_BEFORE: usize = 200;

/// Whether the key sends the message: Enter without Shift, unless it ends the composition of a character. On a phone's
/// keyboard there is no Shift + Enter, so Enter breaks the line there.
pub fn is_send_key(key: &KeyboardEvent) -> bool {
    key.key() == "Enter" && !key.shift_key() && !is_composing(key) && !is_touch_device()
}

/// Whether the key belongs to the composition of a character, which some browsers report only as key 229.
pub fn is_composing(key: &KeyboardEvent) -> bool {
    key.is_composing() || key.key_code() == 229
}

/// Whether the main pointer is a finger.
fn is_touch_device() -> bool {
    let query = window().match_media("(pointer: coarse)").ok().flatten();
    query.is_some_and(|query| query.matches())
}

/// Returns the note about the remaining characters; `None` while the limit is far away.
pub fn length_note(length: usize) -> Option<String> {
    let texts = texts();
    let left = MAX_MESSAGE_CHARS.checked_sub(length);
    match left {
        Some(left) if left > WARN_BEFORE => None,
        Some(left) => Some(counted(
            left,
            texts.characters_left_one,
            texts.characters_left_other,
        )),
        None => {
            let count = (length - MAX_MESSAGE_CHARS).to_string();
            Some(fill(texts.too_long_by, &[("count", &count)]))
        }
    }
}

/// Joins both texts by a line break, unless one is empty.
pub fn join(first: &str, second: &str) -> String {
    let gap = if first.is_empty() || second.is_empty() {
        ""
    } else {
        "\n"
    };
    format!("{first}{gap}{second}")
}

/// Fits the field's height to its text in browsers without `field-sizing`.
pub fn fit_height(field: &HtmlTextAreaElement) {
    let computed = window().get_computed_style(field).ok().flatten();
    let is_automatic = computed
        .and_then(|style| style.get_property_value("field-sizing").ok())
        .is_some_and(|value| value == "content");
    if is_automatic {
        return;
    }
    // Fails only for read-only styles.
    let style = (**field).style();
    _ = style.set_property("height", "auto");
    _ = style.set_property("height", &format!("{}px", field.scroll_height()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_mentioned_only_when_it_is_near() {
        assert_eq!(length_note(0), None);
        assert_eq!(length_note(1_799), None);
        assert_eq!(length_note(1_800).unwrap(), "200 characters left");
        assert_eq!(length_note(1_999).unwrap(), "1 character left");
        assert_eq!(length_note(2_000).unwrap(), "0 characters left");
        assert_eq!(length_note(2_007).unwrap(), "Too long by 7");
    }

    #[test]
    fn a_returned_text_is_put_above_the_new_one() {
        assert_eq!(join("failed", "new"), "failed\nnew");
        assert_eq!(join("failed", ""), "failed");
    }
}
