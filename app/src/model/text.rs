use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest alias, in characters (Unicode scalar values).
pub const MAX_AUTHOR_CHARS: usize = 40;
/// The longest message, in characters (Unicode scalar values).
pub const MAX_MESSAGE_CHARS: usize = 2_000;

/// Why a text is no alias or no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    /// A message without anything to see.
    #[error("a message needs some text")]
    Empty,
    /// Longer than its limit.
    #[error("at most {max} characters are allowed, these are {len}")]
    TooLong {
        /// The limit.
        max: usize,
        /// What was given.
        len: usize,
    },
    /// A control character that is not allowed there.
    #[error("control characters are not allowed{}", if *.multiline { " (other than line breaks and tabs)" } else { "" })]
    Control {
        /// Whether line breaks and tabs would have been fine.
        multiline: bool,
    },
}

/// Who wrote a message, as they call themselves: trimmed, one line, 1 to 40 characters; `Anonymous` when empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuthorName(Box<str>);

impl AuthorName {
    /// The alias as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for AuthorName {
    fn default() -> Self {
        Self("Anonymous".into())
    }
}

impl FromStr for AuthorName {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        if is_blank(text) {
            return Ok(Self::default());
        }
        check(text, MAX_AUTHOR_CHARS, false)?;
        Ok(Self(text.into()))
    }
}

/// A message's text: trimmed, 1 to 2,000 characters, with line breaks (`\n`) and tabs but no other control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageText(Box<str>);

impl MessageText {
    /// The message as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageText {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        // Forms send line breaks as CR LF.
        let text = text.replace("\r\n", "\n");
        let text = text.trim();
        if is_blank(text) {
            return Err(TextError::Empty);
        }
        check(text, MAX_MESSAGE_CHARS, true)?;
        Ok(Self(text.into()))
    }
}

fn check(text: &str, max: usize, multiline: bool) -> Result<(), TextError> {
    let allowed = |c: char| !c.is_control() || (multiline && matches!(c, '\n' | '\t'));
    let len = text.chars().count();
    if len > max {
        Err(TextError::TooLong { max, len })
    } else if text.chars().all(allowed) {
        Ok(())
    } else {
        Err(TextError::Control { multiline })
    }
}

/// Whether nothing of the text would be seen: white space and zero-width or direction marks only.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{2800}' | '\u{3164}')
    })
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
                text.0.into()
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
