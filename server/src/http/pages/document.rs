//! Finishes a rendered HTML document, and finds its inline scripts and styles.

use app::texts::TEXTS_ID;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};
use sha2::{Digest, Sha256};

/// The element that contains the app, with a placeholder for the number of nodes in it.
const APP_ELEMENT: &str = r#"<div id="app" data-nodes="">"#;

/// A document that is ready to be sent, and its inline content, which its policy has to allow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Document {
    pub html: String,
    /// Hashes of its inline scripts and styles.
    pub inline: InlineSources,
}

/// Content security policy sources, `'sha256-…'`, of the inline content.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct InlineSources {
    /// Of executable scripts.
    pub scripts: Vec<String>,
    /// Of `style` attributes and elements.
    pub styles: Vec<String>,
}

impl Document {
    /// Finishes what `leptos_axum` has rendered with this nonce. Only inline content of elements that have the nonce is
    /// allowed, since anything else was injected. The nonce itself is removed, which would make every rendering
    /// different, and the number of nodes is put in, so that the browser can tell whether something has changed them.
    pub fn new(html: String, nonce: &str) -> Self {
        let mut inline = InlineSources::default();
        let mut is_script = false;
        let mut is_style = false;
        let mut in_app = false;
        let mut nodes = 0;
        for token in tokens(&html) {
            let is_node = matches!(
                token,
                Token::StartTag(_) | Token::String(_) | Token::Comment(_)
            );
            // The texts follow the app.
            in_app &= !is_element(&token, TEXTS_ID);
            nodes += usize::from(in_app && is_node);
            match token {
                Token::StartTag(tag) => {
                    let attribute =
                        |name: &[u8]| tag.attributes.get(name).map(|value| value.to_vec());
                    let is_ours = attribute(b"nonce").is_some_and(|it| it == nonce.as_bytes());
                    is_script = is_ours && tag.name == b"script";
                    is_style = is_ours && tag.name == b"style";
                    let style = attribute(b"style").filter(|_| is_ours);
                    inline.styles.extend(style.map(|style| hash_source(&style)));
                    in_app |= attribute(b"id").as_deref() == Some(b"app");
                }
                Token::String(text) if is_script => inline.scripts.push(hash_source(&text)),
                Token::String(text) if is_style => inline.styles.push(hash_source(&text)),
                Token::EndTag(tag) => {
                    (is_script, is_style) = (false, false);
                    in_app &= tag.name != b"body";
                }
                _ => {}
            }
        }
        let html = html.replace(&format!(r#" nonce="{nonce}""#), "");
        let counted = format!(r#"<div id="app" data-nodes="{nodes}">"#);
        Self {
            html: html.replacen(APP_ELEMENT, &counted, 1),
            inline,
        }
    }
}

fn is_element(token: &Token, id: &str) -> bool {
    let Token::StartTag(tag) = token else {
        return false;
    };
    let given = tag.attributes.get(b"id".as_slice());
    given.is_some_and(|given| given.as_slice() == id.as_bytes())
}

fn tokens(html: &str) -> impl Iterator<Item = Token> {
    let mut emitter = DefaultEmitter::default();
    // So that the content of a script is one token.
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).flatten()
}

/// Returns the policy source for this inline content.
fn hash_source(inline: &[u8]) -> String {
    format!("'sha256-{}'", BASE64.encode(Sha256::digest(inline)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(nonce: &str) -> String {
        format!(
            "<!DOCTYPE html><html><head><script type=\"module\" nonce=\"{nonce}\">a<b</script>\
             <script type=\"application/json\">{{}}</script></head>\
             <body><style nonce=\"{nonce}\">#a{{top:1px}}</style><div id=\"app\" data-nodes=\"\"><p nonce=\"{nonce}\" style=\"top:0;\">one &amp; two<!>three<img></p></div>\
             <script type=\"application/json\" id=\"texts\">[]</script></body></html><script nonce=\"{nonce}\">c()</script>"
        )
    }

    fn document(nonce: &str) -> Document {
        Document::new(rendered(nonce), nonce)
    }

    #[test]
    fn inline_scripts_and_styles_are_hashed() {
        let document = document("x");
        assert_eq!(
            document.inline.scripts,
            [hash_source(b"a<b"), hash_source(b"c()")]
        );
        assert_eq!(
            document.inline.styles,
            [hash_source(b"#a{top:1px}"), hash_source(b"top:0;")]
        );
    }

    #[test]
    fn inline_content_without_the_nonce_of_the_rendering_is_not_allowed() {
        let injected = "</title><script>evil()</script><script nonce=\"\">evil()</script>\
             <script nonce=\"y\">evil()</script><script type=\"module\" nonce=\"X\">evil()</script>\
             <style>#a{top:2px}</style><style nonce=\"y\">#a{top:2px}</style>\
             <p style=\"top:2px\"><p nonce=\"y\" style=\"top:2px\">";
        // In the head before the first script of the app's own, in the app, and after everything.
        for place in ["<script type=\"module\"", "one &amp; two", "<script nonce"] {
            let html = rendered("x").replace(place, &format!("{injected}{place}"));
            assert!(html.contains("evil"), "{place}");
            let inline = Document::new(html, "x").inline;
            assert_eq!(inline, document("x").inline, "{place}");
        }
    }

    #[test]
    fn the_nodes_of_the_app_are_counted_as_a_browser_does() {
        let document = document("x");
        // <p>, its two texts, the comment between them, and the image.
        assert!(
            document.html.contains(r#"data-nodes="5""#),
            "{}",
            document.html
        );
    }

    #[test]
    fn renderings_with_different_nonces_are_the_same_document() {
        assert_eq!(document("x"), document("y"));
        assert!(!document("x").html.contains("nonce"));
    }
}
