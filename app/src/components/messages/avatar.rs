use crate::model::{AuthorName, AuthorTag};

/// The classes `hue-0` … that the style sheet has colours for, each with white text at AA.
const HUES: [&str; 12] = [
    "avatar hue-0",
    "avatar hue-1",
    "avatar hue-2",
    "avatar hue-3",
    "avatar hue-4",
    "avatar hue-5",
    "avatar hue-6",
    "avatar hue-7",
    "avatar hue-8",
    "avatar hue-9",
    "avatar hue-10",
    "avatar hue-11",
];

/// The classes of an author's disc. The colour follows from the tag, so that namesakes differ; without one, from the name.
pub fn class(name: &AuthorName, author: Option<&AuthorTag>) -> &'static str {
    let identity = author.map_or(name.as_str(), AuthorTag::as_str);
    // FNV-1a: short, and spreads texts that differ in one letter.
    let hash = identity.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    HUES[hash as usize % HUES.len()]
}

/// The first letter or digit of the name; the first other character for names without any.
///
/// The style sheet capitalises it: the table for doing so here would add 6 kB to the WASM.
pub fn initial(name: &AuthorName) -> String {
    let mut chars = name.as_str().chars();
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
        assert_eq!(class(&name("Kim"), None), class(&name("  Kim "), None));
    }

    #[test]
    fn an_author_has_one_colour_under_all_names_and_namesakes_differ() {
        let [one, another] = ["aaaaaaaaaa", "aaaaaaaaab"].map(|tag| tag.parse().unwrap());
        let kim = class(&name("Kim"), Some(&one));
        assert_eq!(kim, class(&name("Mira"), Some(&one)));
        assert_ne!(kim, class(&name("Kim"), Some(&another)));
    }

    #[test]
    fn names_spread_over_all_colours() {
        let mut seen: Vec<_> = (0..200)
            .map(|n| class(&name(&format!("Guest {n}")), None))
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
