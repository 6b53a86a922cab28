//! Content negotiation by quality values (RFC 9110, section 12.4.2).

use http::HeaderMap;
use http::header::{ACCEPT, HeaderName};

/// Returns whether the client prefers an HTML page to JSON, as browsers do.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    let html = quality(headers, &ACCEPT, &["text/html", "text/*", "*/*"]);
    let json = quality(
        headers,
        &ACCEPT,
        &["application/json", "application/*", "*/*"],
    );
    html > json
}

/// Returns the weight, in thousandths, that the header gives to the first of `names` that it lists; 0 when it lists
/// none or is missing. Names are in lower case, the most specific first.
pub fn quality(headers: &HeaderMap, header: &HeaderName, names: &[&str]) -> u16 {
    let entries = || {
        headers
            .get_all(header)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
    };
    names
        .iter()
        .find_map(|name| entries().find_map(|entry| weight_of(entry, name)))
        .unwrap_or(0)
}

/// Returns the weight of one entry, such as `text/html;q=0.9`, if its name is `name`.
fn weight_of(entry: &str, name: &str) -> Option<u16> {
    let mut parts = entry.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(name) {
        return None;
    }
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    Some(weight.map_or(1_000, thousandths))
}

/// An invalid weight counts as 0, "not acceptable".
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    match (whole, fraction.len()) {
        ("1", _) => 1_000,
        ("0", 1..=3) => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
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
