//! Aliases that are proposed to those who have none.

use crate::model::AuthorName;

/// 24 of them.
const FIRST: &str = "Amber Azure Brave Bright Calm Coral Crimson Gentle Golden Indigo Ivory Jade Lilac Lucky Merry \
                     Olive Quick Quiet Ruby Scarlet Silver Sunny Teal Violet";
/// 32 of them.
const SECOND: &str = "Badger Bear Beaver Bison Crane Deer Dolphin Falcon Finch Fox Gecko Hare Hedgehog Heron Ibis \
                      Kestrel Koala Lark Lynx Marten Newt Orca Otter Owl Panda Puffin Raven Robin Seal Swan Tiger Wren";

/// One of 768 aliases of two words, as `Teal Heron`; both numbers are at least 0 and below 1.
pub(super) fn friendly_name(first: f64, second: f64) -> AuthorName {
    let name = [pick(FIRST, 24.0, first), " ", pick(SECOND, 32.0, second)].concat();
    name.parse().unwrap_or_default()
}

fn pick(words: &'static str, count: f64, random: f64) -> &'static str {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the number of words"
    )]
    let index = (random * count) as usize;
    words.split(' ').nth(index).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_are_768_names_of_two_words() {
        let fraction = |index: u32, count: u32| f64::from(index) / f64::from(count) + 0.001;
        let names = (0..24).flat_map(|first| {
            (0..32).map(move |second| friendly_name(fraction(first, 24), fraction(second, 32)))
        });
        let names: HashSet<String> = names.map(String::from).collect();
        assert_eq!(names.len(), 768);
        assert!(names.contains("Teal Heron"));
        for name in names {
            assert_eq!(name.split_whitespace().count(), 2, "{name}");
        }
    }

    #[test]
    fn the_first_and_the_last_name_can_be_drawn() {
        assert_eq!(friendly_name(0.0, 0.0).as_str(), "Amber Badger");
        let last = 1.0 - f64::EPSILON;
        assert_eq!(friendly_name(last, last).as_str(), "Violet Wren");
    }
}
