//! What an author is known by: the name, and a disc with a colour and the first letter of the alias.

use leptos::prelude::*;

use crate::live::TouchedBy;
use crate::model::{AuthorName, AuthorTag};
use crate::texts::texts;

/// The classes `hue-0` … that the style sheet has colours for, each with white text at AA.
const HUES: [&str; 12] = [
    "hue-0", "hue-1", "hue-2", "hue-3", "hue-4", "hue-5", "hue-6", "hue-7", "hue-8", "hue-9",
    "hue-10", "hue-11",
];

/// An author's disc, hidden from screen readers.
pub fn avatar(name: &AuthorName, author: Option<&AuthorTag>) -> impl IntoView + use<> {
    let class = ["avatar ", hue(name, author)].concat();
    view! {
        <span class=class aria-hidden="true">
            {initial(name)}
        </span>
    }
}

/// What an author is called on the page: the alias, or the page's word for those without one.
pub fn display_name(name: &AuthorName) -> &str {
    if name.is_anonymous() {
        texts().anonymous
    } else {
        name.as_str()
    }
}

/// The class of an author's colour. It follows from the tag, so that namesakes differ; without one, from the name.
pub fn hue(name: &AuthorName, author: Option<&AuthorTag>) -> &'static str {
    hue_of(author.map_or(name.as_str(), AuthorTag::as_str))
}

/// The class of the colour of somebody who touches: as that of their messages, or else one for their tab.
pub fn hue_of_touch(by: &TouchedBy) -> &'static str {
    match (&by.author, &by.name) {
        (None, None) => hue_of(by.tab.as_str()),
        (author, name) => hue(&name.clone().unwrap_or_default(), author.as_ref()),
    }
}

fn hue_of(identity: &str) -> &'static str {
    // FNV-1a: short, and spreads texts that differ in one letter.
    let hash = identity.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    HUES[hash as usize % HUES.len()]
}

/// The first letter or digit of the name; the first other character for names without any.
///
/// The style sheet capitalises it: the table for doing so here would add 6 kB to the WASM.
fn initial(name: &AuthorName) -> String {
    let mut chars = display_name(name).chars();
    let ch = chars
        .clone()
        .find(|ch| ch.is_alphanumeric())
        .or_else(|| chars.next());
    ch.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> AuthorName {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_always_has_the_same_colour() {
        assert_eq!(hue(&name("Kim"), None), hue(&name("  Kim "), None));
    }

    #[test]
    fn an_author_has_one_colour_under_all_names_and_namesakes_differ() {
        let [one, another] = ["aaaaaaaaaa", "aaaaaaaaab"].map(|tag| tag.parse().unwrap());
        let kim = hue(&name("Kim"), Some(&one));
        assert_eq!(kim, hue(&name("Mira"), Some(&one)));
        assert_ne!(kim, hue(&name("Kim"), Some(&another)));
    }

    #[test]
    fn names_spread_over_all_colours() {
        let mut seen: Vec<_> = (0..200)
            .map(|n| hue(&name(&format!("Guest {n}")), None))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), HUES.len());
    }

    #[test]
    fn the_disc_shows_the_first_letter_of_any_script() {
        assert_eq!(initial(&name("Kim")), "K");
        assert_eq!(initial(&name("élan")), "é");
        assert_eq!(initial(&name("<script>")), "s");
        assert_eq!(initial(&name("\u{202e}abc")), "a");
        assert_eq!(initial(&name("🦊")), "🦊");
    }
}
