//! What is to be known of a document once it is rendered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};
use sha2::{Digest, Sha256};

/// The element that the app is rendered into, with the place for the number of nodes in it.
const APP: &str = r#"<div id="app" data-nodes="">"#;

/// A document that is ready to be sent, and what stands inline in it: its policy has to allow just that.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Document {
    /// Its text.
    pub html: String,
    /// Its inline scripts and styles.
    pub inline: Inline,
}

/// The sources that allow just these texts, as `'sha256-…'`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inline {
    /// Of scripts that run.
    pub scripts: Vec<String>,
    /// Of the elements' `style` attributes.
    pub style_attributes: Vec<String>,
}

impl Document {
    /// Finishes what `leptos_axum` has rendered. The nonce that it gives to its scripts is taken out, since it would
    /// make each rendering another document; the number of nodes is put in, so that the browser can tell whether
    /// something has changed them.
    pub fn new(mut html: String) -> Self {
        let mut inline = Inline::default();
        let mut nonce = None;
        let mut is_script = false;
        let mut in_app = false;
        let mut nodes = 0;
        for token in tokens(&html) {
            let is_node = matches!(
                token,
                Token::StartTag(_) | Token::String(_) | Token::Comment(_)
            );
            nodes += usize::from(in_app && is_node);
            match token {
                Token::StartTag(tag) => {
                    let attribute =
                        |name: &[u8]| tag.attributes.get(name).map(|value| value.to_vec());
                    let kind = attribute(b"type");
                    is_script =
                        tag.name == b"script" && kind.as_deref() != Some(b"application/json");
                    let style = attribute(b"style").map(|style| source(&style));
                    inline.style_attributes.extend(style);
                    nonce = nonce.or(attribute(b"nonce"));
                    in_app |= attribute(b"id").as_deref() == Some(b"app");
                }
                Token::String(text) if is_script => inline.scripts.push(source(&text)),
                Token::EndTag(tag) => {
                    is_script = false;
                    in_app &= tag.name != b"body";
                }
                _ => {}
            }
        }
        if let Some(nonce) = nonce.and_then(|nonce| String::from_utf8(nonce).ok()) {
            html = html.replace(&format!(r#" nonce="{nonce}""#), "");
        }
        let counted = format!(r#"<div id="app" data-nodes="{nodes}">"#);
        Self {
            html: html.replacen(APP, &counted, 1),
            inline,
        }
    }
}

fn tokens(html: &str) -> impl Iterator<Item = Token> {
    let mut emitter = DefaultEmitter::default();
    // So that what stands in a script is one text.
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).flatten()
}

/// The source that allows just this text.
fn source(inline: &[u8]) -> String {
    format!("'sha256-{}'", BASE64.encode(Sha256::digest(inline)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(nonce: &str) -> String {
        format!(
            "<!DOCTYPE html><html><head><script type=\"module\" nonce=\"{nonce}\">a<b</script>\
             <script type=\"application/json\">{{}}</script></head>\
             <body><div id=\"app\" data-nodes=\"\"><p style=\"top:0;\">one &amp; two<!>three<img></p></div></body>\
             </html><script nonce=\"{nonce}\">c()</script>"
        )
    }

    #[test]
    fn what_stands_inline_is_allowed_and_nothing_else() {
        let document = Document::new(rendered("x"));
        assert_eq!(document.inline.scripts, [source(b"a<b"), source(b"c()")]);
        assert_eq!(document.inline.style_attributes, [source(b"top:0;")]);
    }

    #[test]
    fn the_nodes_of_the_app_are_counted_as_a_browser_does() {
        let document = Document::new(rendered("x"));
        // <p>, its two texts, the comment between them and the picture.
        assert!(
            document.html.contains(r#"data-nodes="5""#),
            "{}",
            document.html
        );
    }

    #[test]
    fn two_renderings_of_the_same_are_the_same_document() {
        assert_eq!(Document::new(rendered("x")), Document::new(rendered("y")));
        assert!(!Document::new(rendered("x")).html.contains("nonce"));
    }
}
