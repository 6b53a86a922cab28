use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdError {
    /// Not 24 hexadecimal digits.
    #[error("an id has 24 hexadecimal digits")]
    Hex,
    /// Not 8 characters of base 62.
    #[error("a short id has 8 letters or digits")]
    Short,
    /// Neither form of an upload's id.
    #[error("an upload is named by its 24-digit id or its 8-character short id")]
    Upload,
    /// Not 1 to 64 letters, digits, `-` or `_`.
    #[error("a clientMessageID has 1 to 64 letters, digits, '-' or '_'")]
    ClientMessage,
    /// Not 1 to 32 letters, digits, `-` or `_`.
    #[error("a tab's name has 1 to 32 letters, digits, '-' or '_'")]
    Tab,
    /// Not 1 to 16 letters or digits.
    #[error("a stroke has 1 to 16 letters or digits")]
    Stroke,
    /// Not 10 characters of base 32.
    #[error("a tag has 10 characters of a to z and 2 to 7")]
    Tag,
    /// Not 22 to 86 letters, digits, `-` or `_`.
    #[error("an author's secret has 22 to 86 letters, digits, '-' or '_'")]
    AuthorSecret,
}

/// Twelve bytes written as 24 lower-case hexadecimal digits, the form of MongoDB's `ObjectId`.
macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(
            feature = "ssr",
            derive(utoipa::ToSchema),
            schema(value_type = String, pattern = "^[0-9a-fA-F]{24}$")
        )]
        pub struct $name([u8; 12]);

        impl $name {
            /// The id with these bytes, which should be random.
            pub const fn from_bytes(bytes: [u8; 12]) -> Self {
                Self(bytes)
            }

            /// The 12 bytes.
            pub const fn as_bytes(&self) -> &[u8; 12] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_hex(text).map(Self).ok_or(IdError::Hex)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        string_form!($name);
    };
}

/// Conversions for serde, and a `Debug` that prints the id as text.
macro_rules! string_form {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

hex_id!(
    /// An upload's id: 96 random bits, 24 hexadecimal digits in JSON.
    UploadId
);
hex_id!(
    /// A message's id: 96 random bits, 24 hexadecimal digits in JSON.
    MessageId
);

fn parse_hex(text: &str) -> Option<[u8; 12]> {
    let digits = text.as_bytes();
    if digits.len() != 24 {
        return None;
    }
    let mut bytes = [0; 12];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(bytes)
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// An upload's name in its link: 8 random characters of base 62, as in `/u/aB3dE9xZ`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[0-9A-Za-z]{8}$"))]
pub struct ShortId([u8; 8]);

impl ShortId {
    /// The short id as text.
    pub fn as_str(&self) -> &str {
        // Always ASCII: see `from_str`.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for ShortId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes: [u8; 8] = text.as_bytes().try_into().map_err(|_| IdError::Short)?;
        if bytes.iter().all(u8::is_ascii_alphanumeric) {
            Ok(Self(bytes))
        } else {
            Err(IdError::Short)
        }
    }
}

impl fmt::Display for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

string_form!(ShortId);

/// Either form of an upload's id; both are accepted from clients.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum UploadRef {
    /// The 24-digit id.
    Id(UploadId),
    /// The 8-character short id.
    Short(ShortId),
}

impl FromStr for UploadRef {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse()
            .map(Self::Id)
            .or_else(|_| text.parse().map(Self::Short))
            .map_err(|_| IdError::Upload)
    }
}

impl fmt::Display for UploadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Short(id) => id.fmt(f),
        }
    }
}

string_form!(UploadRef);

#[cfg(feature = "ssr")]
impl utoipa::PartialSchema for UploadRef {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let text = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::Type::String);
        let pattern = "^(?:[0-9a-fA-F]{24}|[0-9A-Za-z]{8})$";
        text.description(Some("Either form of an upload's id."))
            .pattern(Some(pattern))
            .into()
    }
}

#[cfg(feature = "ssr")]
impl utoipa::ToSchema for UploadRef {}

/// Whether it has a length of these, in letters, digits, `-` or `_`.
pub(super) fn is_client_name(text: &str, lengths: RangeInclusive<usize>) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    lengths.contains(&text.len()) && text.bytes().all(allowed)
}

/// The id that a client gives a message before it posts it, so that a repeated post is recognised: 1 to 64 letters,
/// digits, `-` or `_`, unique within the upload.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[0-9A-Za-z_-]{1,64}$"))]
pub struct ClientMessageId(Arc<str>);

impl ClientMessageId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientMessageId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if is_client_name(text, 1..=64) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::ClientMessage)
        }
    }
}

impl fmt::Display for ClientMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

string_form!(ClientMessageId);

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef01234567";

    #[test]
    fn ids_are_24_hexadecimal_digits_in_either_case() {
        let id: UploadId = HEX.parse().unwrap();
        assert_eq!(id.to_string(), HEX);
        assert_eq!(HEX.to_uppercase().parse(), Ok(id));
        assert_eq!(UploadId::from_bytes(*id.as_bytes()), id);
        let nearly = [
            "",
            &HEX[1..],
            "0123456789abcdef012345678",
            "0123456789abcdef0123456g",
            "0123456789abcdef0123456é",
            " 123456789abcdef01234567",
            "+123456789abcdef01234567",
        ];
        for wrong in nearly {
            assert_eq!(wrong.parse::<UploadId>(), Err(IdError::Hex), "{wrong:?}");
            assert_eq!(wrong.parse::<MessageId>(), Err(IdError::Hex), "{wrong:?}");
        }
    }

    #[test]
    fn short_ids_are_8_letters_or_digits_and_their_case_counts() {
        let short: ShortId = "aB3dE9xZ".parse().unwrap();
        assert_eq!(short.as_str(), "aB3dE9xZ");
        assert_ne!("ab3de9xz".parse(), Ok(short));
        for wrong in [
            "",
            "aB3dE9x",
            "aB3dE9xZz",
            "aB3dE9x-",
            "aB3dE9x/",
            "aB3dEé9",
            "aB3dE9x\0",
        ] {
            assert_eq!(wrong.parse::<ShortId>(), Err(IdError::Short), "{wrong:?}");
        }
    }

    #[test]
    fn either_form_names_an_upload() {
        assert_eq!(HEX.parse(), Ok(UploadRef::Id(HEX.parse().unwrap())));
        assert_eq!(
            "aB3dE9xZ".parse(),
            Ok(UploadRef::Short("aB3dE9xZ".parse().unwrap()))
        );
        assert_eq!("../etc".parse::<UploadRef>(), Err(IdError::Upload));
    }

    #[test]
    fn client_message_ids_are_checked() {
        for fine in ["a", "0b8e4c1e-7a55-4a8e-9d2f-0f6b1f2a3c4d", "_-_"] {
            assert_eq!(fine.parse::<ClientMessageId>().unwrap().as_str(), fine);
        }
        for wrong in ["", "a b", "a.b", "<b>", "é", "a\n"] {
            assert_eq!(
                wrong.parse::<ClientMessageId>(),
                Err(IdError::ClientMessage),
                "{wrong:?}"
            );
        }
        let longest = |n| "x".repeat(n);
        assert!(longest(64).parse::<ClientMessageId>().is_ok());
        assert!(longest(65).parse::<ClientMessageId>().is_err());
    }

    #[test]
    fn json_holds_ids_as_checked_strings() {
        assert_eq!(
            serde_json::to_string(&HEX.parse::<UploadId>().unwrap()).unwrap(),
            format!("\"{HEX}\"")
        );
        assert!(serde_json::from_str::<UploadId>("\"nope\"").is_err());
        assert!(serde_json::from_str::<ShortId>("12345678").is_err());
    }

    #[test]
    fn debug_prints_an_id_as_text() {
        assert_eq!(
            format!("{:?}", "aB3dE9xZ".parse::<ShortId>().unwrap()),
            "ShortId(aB3dE9xZ)"
        );
    }
}
