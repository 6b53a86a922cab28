//! Aliases that are proposed to those who have none.

use crate::model::AuthorName;
use crate::texts::Texts;

/// One of 768 aliases of two words, as `Teal Heron`; both numbers are at least 0 and below 1.
pub(super) fn friendly_name(texts: &Texts, first: f64, second: f64) -> AuthorName {
    let (first, second) = (
        pick(texts.alias_first, first),
        pick(texts.alias_second, second),
    );
    [first, " ", second].concat().parse().unwrap_or_default()
}

fn pick(words: &str, random: f64) -> &str {
    let count = words.split(' ').count();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "between 0 and the number of words"
    )]
    let index = (random * count as f64) as usize;
    words.split(' ').nth(index).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::texts::Language;

    #[test]
    fn there_are_768_names_of_two_words_in_every_language() {
        let fraction = |index: u32, count: u32| f64::from(index) / f64::from(count) + 0.001;
        for language in Language::ALL {
            let name = |first, second| friendly_name(language.texts(), first, second);
            // The longer list is the second one, or the first one where adjectives follow nouns.
            let (m, n) = if language == Language::Es {
                (32, 24)
            } else {
                (24, 32)
            };
            let names = (0..m).flat_map(|first| {
                (0..n).map(move |second| name(fraction(first, m), fraction(second, n)))
            });
            let names: HashSet<String> = names.map(String::from).collect();
            assert_eq!(names.len(), 768, "{language:?}");
            for name in names {
                assert_eq!(name.split_whitespace().count(), 2, "{name}");
            }
        }
    }

    #[test]
    fn the_first_and_the_last_name_can_be_drawn() {
        let name = |at| friendly_name(Language::En.texts(), at, at);
        assert_eq!(name(0.0).as_str(), "Amber Badger");
        assert_eq!(name(1.0 - f64::EPSILON).as_str(), "Violet Wren");
    }
}
