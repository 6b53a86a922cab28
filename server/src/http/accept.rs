//! Content negotiation by quality values (RFC 9110, section 12.4.2).

use app::texts::Language;
use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderName};

const HTML: &[&str] = &["text/html", "text/*", "*/*"];
const JSON: &[&str] = &["application/json", "application/*", "*/*"];
const PLAIN_TEXT: &[&str] = &["text/plain", "text/*", "*/*"];

/// Returns whether the client prefers an HTML page to JSON, as browsers do.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    quality(headers, &ACCEPT, HTML) > quality(headers, &ACCEPT, JSON)
}

/// Returns whether the client prefers plain text to JSON and to an HTML page.
pub fn prefers_plain_text(headers: &HeaderMap) -> bool {
    let others = quality(headers, &ACCEPT, HTML).max(quality(headers, &ACCEPT, JSON));
    quality(headers, &ACCEPT, PLAIN_TEXT) > others
}

/// Returns the weight, in thousandths, that the header gives to the first of `names` that it lists; 0 when it lists
/// none or is missing. Names are in lower case, the most specific first.
pub fn quality(headers: &HeaderMap, header: &HeaderName, names: &[&str]) -> u16 {
    names
        .iter()
        .find_map(|name| {
            let mut entries = entries(headers, header);
            entries.find(|(entry, _)| entry.eq_ignore_ascii_case(name))
        })
        .map_or(0, |(_, weight)| weight)
}

/// Returns the language of the interface that the client prefers, by the highest weight and then by the order; English
/// when it accepts none of them.
pub fn language(headers: &HeaderMap) -> Language {
    let mut preferred = (Language::default(), 0);
    for (tag, weight) in entries(headers, &ACCEPT_LANGUAGE) {
        let language = match tag {
            "*" => Some(Language::default()),
            _ => Language::of_tag(tag),
        };
        if let Some(language) = language.filter(|_| weight > preferred.1) {
            preferred = (language, weight);
        }
    }
    preferred.0
}

/// Returns the names in a header and their weights, in thousandths.
fn entries<'a>(
    headers: &'a HeaderMap,
    header: &HeaderName,
) -> impl Iterator<Item = (&'a str, u16)> {
    let values = headers.get_all(header).into_iter();
    let values = values.filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(entry)
}

/// Reads one entry, such as `text/html;q=0.9`.
fn entry(entry: &str) -> (&str, u16) {
    let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
    let mut parameters = parameters.split(';').map(str::trim);
    let weight = parameters.find_map(|part| {
        let (name, weight) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| weight.trim())
    });
    (name.trim(), weight.map_or(1_000, thousandths))
}

/// An invalid weight counts as 0, "not acceptable".
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let is_fraction = fraction.len() <= 3 && fraction.bytes().all(|it| it.is_ascii_digit());
    if !is_fraction || !matches!(whole, "0" | "1") {
        return 0;
    }
    let weight = format!("{whole}{fraction:0<3}").parse();
    weight.ok().filter(|it| *it <= 1_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::ACCEPT_ENCODING;

    use super::*;

    fn accepting(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static(value)),
            (ACCEPT_ENCODING, HeaderValue::from_static(value)),
        ])
    }

    #[test]
    fn browsers_prefer_html_and_programs_do_not() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert!(prefers_html(&accepting(browser)));
        assert!(prefers_html(&accepting("Text/HTML; charset=utf-8")));
        assert!(!prefers_html(&accepting("*/*")));
        assert!(!prefers_html(&accepting("application/json")));
        assert!(!prefers_html(&accepting(
            "application/json, text/html;q=0.5"
        )));
        assert!(!prefers_html(&accepting("text/html;q=0")));
        assert!(!prefers_html(&HeaderMap::new()));
    }

    #[test]
    fn plain_text_is_preferred_only_by_name() {
        for value in [
            "text/plain",
            "text/plain, */*;q=0.1",
            "application/json;q=0.9, text/plain",
        ] {
            assert!(prefers_plain_text(&accepting(value)), "{value}");
        }
        for value in ["*/*", "text/*", "text/html, text/plain", "text/plain;q=0"] {
            assert!(!prefers_plain_text(&accepting(value)), "{value}");
        }
        assert!(!prefers_plain_text(&HeaderMap::new()));
    }

    #[test]
    fn the_language_with_the_highest_weight_is_preferred() {
        for (value, expected) in [
            ("de", Language::De),
            ("de-AT,de;q=0.9,en;q=0.8", Language::De),
            ("ES-419", Language::Es),
            ("en;q=0.5, es;q=0.7, de;q=0.6", Language::Es),
            ("es, de", Language::Es),
            ("fr-FR, fr;q=0.9, de;q=0.1", Language::De),
            ("de;q=0, es;q=0.001", Language::Es),
            ("fr, *;q=0.5, de;q=0.3", Language::En),
            ("fr", Language::En),
            ("de;q=0", Language::En),
            ("de;q=x", Language::En),
            ("de;q=0.+99, es;q=0.05", Language::Es),
            ("de;q=1.999, es;q=0.05", Language::Es),
            ("de; q = 0.1, es;q=0.5", Language::Es),
            ("", Language::En),
            (",;q=1,-", Language::En),
        ] {
            let value = HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, value)]);
            assert_eq!(language(&headers), expected, "{headers:?}");
        }
        assert_eq!(language(&HeaderMap::new()), Language::En);
    }

    #[test]
    fn weights_are_parsed_and_invalid_ones_count_as_zero() {
        for (value, weight) in [
            ("br", 1_000),
            ("gzip, br;q=0.25", 250),
            ("br;q=0", 0),
            ("br;q=1.000", 1_000),
            ("br;q=2", 0),
            ("br;q=0.12345", 0),
            ("br;q=x", 0),
            ("gzip, *;q=0.1", 100),
            ("gzip", 0),
        ] {
            let headers = accepting(value);
            assert_eq!(
                quality(&headers, &ACCEPT_ENCODING, &["br", "*"]),
                weight,
                "{value}"
            );
        }
    }
}
