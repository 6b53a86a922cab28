//! A problem as a page of its own, for readers without scripts. It needs nothing of the app but its style sheet.

use app::problem::Problem;
use app::source::Assets;
use http::HeaderValue;

pub(super) const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// This page runs no scripts.
pub(super) const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'",
);

pub(super) fn render(problem: &Problem, assets: &Assets) -> String {
    let (title, detail) = (escape(&problem.title), escape(&problem.detail));
    let css = escape(&assets.css);
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} · Tonesa</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{css}">
</head>
<body>
<main class="notice">
<h1>{title}</h1>
<p>{detail}</p>
<p><a class="button" href="/">Share a picture</a></p>
</main>
</body>
</html>
"#
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        let problem = Problem {
            kind: "/problems/x".to_owned(),
            title: "A & B".to_owned(),
            status: 422,
            detail: r#"<script>alert("x")</script>"#.to_owned(),
            field: None,
        };
        let page = render(&problem, &Assets::default());
        assert!(page.contains("<h1>A &amp; B</h1>"));
        assert!(page.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"));
        assert!(!page.contains("<script>"));
    }
}
