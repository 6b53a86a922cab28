use std::collections::BTreeSet;

use super::*;

/// Each text of a language with its name, and the English one.
fn all(language: Language) -> Vec<(&'static str, &'static str, &'static str)> {
    let (texts, server) = (language.texts(), language.server_texts());
    let (english, english_server) = (Language::En.texts(), Language::En.server_texts());
    let texts = Texts::NAMES.into_iter().zip(texts.to_list());
    let server = ServerTexts::NAMES.into_iter().zip(server.to_list());
    let english = english
        .to_list()
        .into_iter()
        .chain(english_server.to_list());
    let texts = texts.chain(server).zip(english);
    texts
        .map(|((name, text), english)| (name, text, english))
        .collect()
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    let names = text.split('{').skip(1);
    names.map(|rest| rest.split('}').next().unwrap()).collect()
}

#[test]
fn every_language_has_the_same_placeholders() {
    for language in Language::ALL {
        for (name, text, english) in all(language) {
            assert_eq!(placeholders(text), placeholders(english), "{name}: {text}");
            assert_eq!(
                text.matches('{').count(),
                text.matches('}').count(),
                "{text}"
            );
        }
    }
}

#[test]
fn no_text_is_empty_or_has_space_around_it() {
    for language in Language::ALL {
        for (name, text, _) in all(language) {
            assert!(!text.is_empty(), "{name}");
            assert_eq!(text, text.trim(), "{name}");
            assert!(!text.contains("  "), "{name}: {text}");
        }
    }
}

#[test]
fn texts_can_stand_in_html_as_they_are() {
    for language in Language::ALL {
        for (name, text, _) in all(language) {
            assert!(!text.contains(['<', '>', '&']), "{name}: {text}");
        }
        let demo = language.texts().demo_alt;
        assert!(!demo.contains('"'), "{demo}");
    }
}

#[test]
fn only_words_of_both_languages_are_as_in_english() {
    for language in [Language::De, Language::Es] {
        let equal = all(language)
            .into_iter()
            .filter(|(_, text, english)| text == english);
        let names: Vec<_> = equal.map(|(name, ..)| name).collect();
        for name in names {
            let known = [
                "live",
                "moderation",
                "offline",
                "pins_button",
                "short_date",
                "zoom",
            ];
            assert!(known.contains(&name), "{language:?}: {name} is in English");
        }
    }
}

#[test]
fn texts_are_read_as_they_were_listed() {
    let texts = Language::De.texts();
    assert_eq!(Texts::from_list(texts.to_list()), *texts);
    assert_eq!(Texts::NAMES[0], "lang");
    assert_eq!(texts.to_list()[0], "de");
}

#[test]
fn every_language_has_twelve_months() {
    for language in Language::ALL {
        let Texts {
            months,
            months_short,
            ..
        } = language.texts();
        assert_eq!(months.split(' ').count(), 12);
        assert_eq!(months_short.split(' ').count(), 12);
    }
}

#[test]
fn parts_are_put_in_once() {
    let filled = fill(
        "{name} points at {place}.",
        &[("place", "{name}"), ("name", "{place}")],
    );
    assert_eq!(filled, "{place} points at {name}.");
    assert_eq!(fill("nothing", &[]), "nothing");
}

#[test]
fn one_has_a_text_of_its_own() {
    let new = |count| counted(count, "{count} new message", "{count} new messages");
    assert_eq!(
        [0, 1, 2].map(new),
        ["0 new messages", "1 new message", "2 new messages"]
    );
}

#[test]
fn a_language_is_known_by_its_tag_in_any_region() {
    assert_eq!(Language::of_tag("de"), Some(Language::De));
    assert_eq!(Language::of_tag("DE-at"), Some(Language::De));
    assert_eq!(Language::of_tag("es-419"), Some(Language::Es));
    assert_eq!(Language::of_tag("den"), None);
    assert_eq!(Language::of_tag(""), None);
}
