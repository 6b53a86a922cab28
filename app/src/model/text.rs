use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::texts::{Texts, fill};

/// The longest alias, in characters (Unicode scalar values).
pub const MAX_AUTHOR_CHARS: usize = 40;
/// The longest message, in characters (Unicode scalar values).
pub const MAX_MESSAGE_CHARS: usize = 2_000;
/// The longest reason of a report, in characters (Unicode scalar values).
pub const MAX_REASON_CHARS: usize = 1_000;

/// The alias of those who give none.
const ANONYMOUS: &str = "Anonymous";

/// Why a text is not an alias or a message. Displayed in English, for programs; [`TextError::in_words`] is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    /// A message without visible characters.
    #[error("A message needs some text.")]
    Empty,
    /// Longer than its limit.
    #[error("At most {max} characters are allowed; this has {len}.")]
    TooLong {
        /// The limit.
        max: usize,
        /// The length that was given.
        len: usize,
    },
    /// A control character or a line break in an alias.
    #[error("Control characters are not allowed.")]
    Control,
}

impl TextError {
    /// The reason in the language of these texts, as a sentence.
    pub fn in_words(self, texts: &Texts) -> String {
        match self {
            Self::Empty => texts.text_empty.to_owned(),
            Self::TooLong { max, len } => {
                let (max, len) = (max.to_string(), len.to_string());
                fill(texts.text_too_long, &[("max", &max), ("len", &len)])
            }
            Self::Control => texts.text_control.to_owned(),
        }
    }
}

/// The name that an author chose: trimmed, one line, 1 to 40 characters; `Anonymous` when empty.
// Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "ssr",
    derive(utoipa::ToSchema),
    schema(
        value_type = String,
        pattern = "^[\\t-\\r ]*[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*[\\t-\\r ]*$",
        max_length = 40
    )
)]
pub struct AuthorName(Arc<str>);

impl AuthorName {
    /// The alias as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for no name.
    pub fn is_anonymous(&self) -> bool {
        self.as_str() == ANONYMOUS
    }

    /// The alias, cut to its limit if it is longer; `None` when empty.
    ///
    /// # Errors
    /// [`TextError::Control`].
    pub fn shortened(text: &str) -> Result<Option<Self>, TextError> {
        let text: String = text.trim().chars().take(MAX_AUTHOR_CHARS).collect();
        (!is_blank(&text)).then(|| text.parse()).transpose()
    }
}

impl Default for AuthorName {
    fn default() -> Self {
        Self(ANONYMOUS.into())
    }
}

impl FromStr for AuthorName {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        if is_blank(text) {
            return Ok(Self::default());
        }
        check_length(text, MAX_AUTHOR_CHARS)?;
        if text.chars().any(|ch| ch.is_control() || is_separator(ch)) {
            return Err(TextError::Control);
        }
        Ok(Self(text.into()))
    }
}

/// A message's text: trimmed, 1 to 2,000 characters. Line breaks are `\n`; other control characters than tabs are
/// removed.
// Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "ssr",
    derive(utoipa::ToSchema),
    schema(value_type = String, pattern = "[^\\s\\x00-\\x1f\\x7f-\\x9f]", max_length = 2000)
)]
pub struct MessageText(Arc<str>);

impl MessageText {
    /// The message as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageText {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        lines(text, MAX_MESSAGE_CHARS).map(Self)
    }
}

/// Why somebody reports an upload: trimmed, 1 to 1,000 characters, with line breaks like a message.
// Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "ssr",
    derive(utoipa::ToSchema),
    schema(value_type = String, pattern = "[^\\s\\x00-\\x1f\\x7f-\\x9f]", max_length = 1000)
)]
pub struct ReportReason(Arc<str>);

impl ReportReason {
    /// The reason as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ReportReason {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        lines(text, MAX_REASON_CHARS).map(Self)
    }
}

/// Parses a text that may have several lines.
fn lines(text: &str, max: usize) -> Result<Arc<str>, TextError> {
    let text = normalize_control_characters(text);
    let text = text.trim();
    if is_blank(text) {
        return Err(TextError::Empty);
    }
    check_length(text, max)?;
    Ok(text.into())
}

/// Replaces line breaks of all kinds by LF (CR LF, which forms send, CR, VT, FF and NEL), keeps tabs, and removes other
/// control characters.
fn normalize_control_characters(text: &str) -> String {
    let mut normalized = String::with_capacity(text.len());
    let mut previous = ' ';
    for ch in text.chars() {
        match ch {
            '\n' if previous == '\r' => {}
            '\r' | '\u{b}' | '\u{c}' | '\u{85}' => normalized.push('\n'),
            '\n' | '\t' => normalized.push(ch),
            ch if ch.is_control() => {}
            ch => normalized.push(ch),
        }
        previous = ch;
    }
    normalized
}

fn check_length(text: &str, max: usize) -> Result<(), TextError> {
    let len = text.chars().count();
    if len > max {
        return Err(TextError::TooLong { max, len });
    }
    Ok(())
}

/// Unicode's line and paragraph separators, which break lines but are not control characters.
fn is_separator(ch: char) -> bool {
    matches!(ch, '\u{2028}' | '\u{2029}')
}

/// Whether the text has only white space and invisible characters.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Unicode's `Default_Ignorable_Code_Point` (`DerivedCoreProperties.txt`, Unicode 16), and the blank Braille pattern.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

macro_rules! text_conversions {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.as_str().into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_conversions!(AuthorName);
text_conversions!(MessageText);
text_conversions!(ReportReason);

#[cfg(test)]
mod tests {
    use super::*;

    fn author(text: &str) -> Result<String, TextError> {
        text.parse::<AuthorName>().map(String::from)
    }

    fn message(text: &str) -> Result<String, TextError> {
        text.parse::<MessageText>().map(String::from)
    }

    #[test]
    fn texts_are_trimmed() {
        assert_eq!(author("\u{3000} Ada \n"), Ok("Ada".into()));
        assert_eq!(message("\n\n  look here\t\n"), Ok("look here".into()));
    }

    #[test]
    fn the_reason_of_a_report_is_a_text_of_at_most_1000_characters() {
        let reason = |text: &str| text.parse::<ReportReason>().map(String::from);
        assert_eq!(reason(" spam,\r\nI think\n"), Ok("spam,\nI think".into()));
        assert_eq!(reason(" \u{200b}\n"), Err(TextError::Empty));
        let longest = "é".repeat(1_000);
        assert_eq!(reason(&longest), Ok(longest.clone()));
        let (max, len) = (1_000, 1_001);
        let too_long = reason(&format!("{longest}x"));
        assert_eq!(too_long, Err(TextError::TooLong { max, len }));
    }

    #[test]
    fn limits_count_characters_not_bytes() {
        let longest = "\u{1f98a}".repeat(MAX_AUTHOR_CHARS);
        assert_eq!(author(&longest), Ok(longest.clone()));
        assert_eq!(
            author(&format!("{longest}x")),
            Err(TextError::TooLong { max: 40, len: 41 })
        );
        let longest = "é".repeat(MAX_MESSAGE_CHARS);
        assert_eq!(message(&format!("  {longest}\r\n")), Ok(longest.clone()));
        assert_eq!(
            message(&format!("{longest}x")),
            Err(TextError::TooLong {
                max: 2_000,
                len: 2_001
            })
        );
    }

    #[test]
    fn line_breaks_of_all_kinds_are_line_feeds() {
        assert_eq!(message("a\r\nb\r\n\r\nc"), Ok("a\nb\n\nc".into()));
        assert_eq!(
            message("a\rb\u{b}c\u{c}d\u{85}e\n\rf"),
            Ok("a\nb\nc\nd\ne\n\nf".into())
        );
    }

    #[test]
    fn other_control_characters_are_removed_from_messages() {
        assert_eq!(message("a\n\tb\u{2028}c"), Ok("a\n\tb\u{2028}c".into()));
        for text in [
            "a\0b",
            "a\u{7}b",
            "a\u{1b}b",
            "a\u{7f}b",
            "a\u{9b}b",
            "\u{1}a\u{2}b\u{3}",
        ] {
            assert_eq!(message(text), Ok("ab".into()), "{text:?}");
        }
        assert_eq!(message("\u{1}\u{2}"), Err(TextError::Empty));
    }

    #[test]
    fn an_alias_is_one_line_without_control_characters() {
        for wrong in [
            "a\nb",
            "a\tb",
            "a\r\nb",
            "a\0b",
            "a\u{2028}b",
            "a\u{2029}b",
            "\u{7}",
        ] {
            assert_eq!(author(wrong), Err(TextError::Control), "{wrong:?}");
        }
    }

    #[test]
    fn a_shortened_alias_has_at_most_40_characters() {
        let shortened = |text: &str| {
            let name = AuthorName::shortened(text);
            name.map(|name| name.map(String::from))
        };
        let longest = "\u{1f98a}".repeat(MAX_AUTHOR_CHARS);
        assert_eq!(shortened(&format!(" {longest}x")), Ok(Some(longest)));
        let cut_at_a_space = format!("{} b", "a".repeat(39));
        assert_eq!(shortened(&cut_at_a_space), Ok(Some("a".repeat(39))));
        for blank in ["", " ", &format!("{}x", "\u{200b}".repeat(40))] {
            assert_eq!(shortened(blank), Ok(None), "{blank:?}");
        }
        assert_eq!(shortened("a\nb"), Err(TextError::Control));
    }

    #[test]
    fn invisible_text_is_empty() {
        for blank in [
            "",
            " \n\t",
            "\u{200b}",
            "\u{feff} \u{2060}",
            "\u{202e}\u{200f}",
            "\u{3164}",
            "\u{2800}",
            "\u{115f}\u{fe0f}\u{e0041}",
        ] {
            assert_eq!(author(blank), Ok("Anonymous".into()), "{blank:?}");
            assert_eq!(message(blank), Err(TextError::Empty), "{blank:?}");
        }
    }

    #[test]
    fn invisible_characters_between_visible_ones_are_kept() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} ❤\u{fe0f} \u{202e}abc";
        assert_eq!(message(family), Ok(family.into()));
        assert_eq!(author(family), Ok(family.into()));
    }

    #[test]
    fn markup_is_plain_text() {
        let hostile = "<script>alert('&amp;')</script>";
        assert_eq!(message(hostile), Ok(hostile.into()));
    }

    #[test]
    fn errors_are_sentences_with_the_limit() {
        let error = message(&"x".repeat(2_001)).unwrap_err().to_string();
        assert_eq!(error, "At most 2000 characters are allowed; this has 2001.");
    }
}
