//! The text of a message, with its web addresses as links.

use leptos::either::Either;
use leptos::prelude::*;
use linkify::{LinkFinder, LinkKind};

/// Renders a text. Addresses that begin with `http://` or `https://` are links, which open in a new tab.
pub fn linked(text: &str) -> impl IntoView + use<> {
    match &parts(text)[..] {
        // Most texts have no link, and are one text node.
        [] | [(_, false)] => Either::Left(text.to_owned()),
        parts => Either::Right(
            parts
                .iter()
                .map(|&(part, is_link)| linked_part(part, is_link))
                .collect_view(),
        ),
    }
}

fn linked_part(part: &str, is_link: bool) -> impl IntoView + use<> {
    let part = part.to_owned();
    if is_link {
        let href = part.clone();
        Either::Left(view! {
            <a href=href rel="nofollow ugc noopener" target="_blank">
                {part}
            </a>
        })
    } else {
        Either::Right(part)
    }
}

/// Splits a text into links and what is between them.
fn parts(text: &str) -> Vec<(&str, bool)> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let spans = finder.spans(text).map(|span| {
        let is_link = span.kind().is_some() && is_web_address(span.as_str());
        (span.as_str(), is_link)
    });
    spans.collect()
}

fn is_web_address(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<&str> {
        parts(text)
            .into_iter()
            .filter_map(|(part, is_link)| is_link.then_some(part))
            .collect()
    }

    #[test]
    fn web_addresses_are_links_without_the_punctuation_around_them() {
        for (text, expected) in [
            (
                "see https://example.org/a?b=c#d.",
                vec!["https://example.org/a?b=c#d"],
            ),
            (
                "(http://example.org/x_(y))",
                vec!["http://example.org/x_(y)"],
            ),
            (
                "HTTPS://EXAMPLE.ORG, and http://a.example!",
                vec!["HTTPS://EXAMPLE.ORG", "http://a.example"],
            ),
            (
                "https://example.org/\nhttps://example.com/",
                vec!["https://example.org/", "https://example.com/"],
            ),
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_else_is_a_link() {
        for text in [
            "example.org",
            "someone@example.org",
            "javascript:alert(1)",
            "javascript://example.org/%0aalert(1)",
            "ftp://example.org/",
            "file:///etc/passwd",
            "data:text/html,x",
            "http://",
            "https:// example.org",
        ] {
            assert_eq!(links(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn the_parts_are_the_whole_text() {
        for text in [
            "",
            "a",
            "a http://b.example c ftp://d.example e",
            "<script>http://x.example/</script>",
        ] {
            assert_eq!(
                parts(text)
                    .iter()
                    .map(|(part, _)| *part)
                    .collect::<String>(),
                text
            );
        }
    }
}
