use std::ffi::OsString;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use super::secret::Secret;

/// Where the value of a variable comes from.
pub type Lookup<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

/// A setting that cannot be used; its text names the variable.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// A value that is not what it has to be.
    #[error("{name} must be {expected}, not {given:?}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What would have been fine.
        expected: String,
        /// What was given.
        given: String,
    },
    /// A value that is not what it has to be and may be a secret, so that it is not repeated.
    #[error("{name} must be {expected}")]
    Secret {
        /// The variable.
        name: &'static str,
        /// What would have been fine.
        expected: &'static str,
    },
    /// A variable that another one needs.
    #[error("{name} must be set when {because} is")]
    Missing {
        /// The variable.
        name: &'static str,
        /// The one that needs it.
        because: &'static str,
    },
    /// The file named by `--env-file` cannot be used.
    #[error("--env-file {path}: {problem}")]
    EnvFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads typed values.
pub(super) struct Reader<'a> {
    lookup: &'a Lookup<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a Lookup<'a>) -> Self {
        Self { lookup }
    }

    /// The value as text; none when the variable is not set or empty.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, ConfigError> {
        let Some(value) = (self.lookup)(name) else {
            return Ok(None);
        };
        match value.into_string() {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            Err(value) => Err(ConfigError::Invalid {
                name,
                expected: "UTF-8 text".to_owned(),
                given: value.to_string_lossy().into_owned(),
            }),
        }
    }

    /// The value of a variable that may hold a password.
    pub(super) fn secret(&self, name: &'static str) -> Result<Option<Secret>, ConfigError> {
        let expected = "UTF-8 text";
        match self.text(name) {
            Ok(text) => Ok(text.map(Secret::new)),
            Err(_) => Err(ConfigError::Secret { name, expected }),
        }
    }

    /// Whether a switch is on: 1 or 0, and off unless told.
    pub(super) fn switch(&self, name: &'static str, default: bool) -> Result<bool, ConfigError> {
        Ok(match self.text(name)?.as_deref() {
            None => default,
            Some("1" | "true") => true,
            Some("0" | "false") => false,
            Some(given) => return Err(invalid(name, "1 or 0", given.to_owned())),
        })
    }

    /// The value as whatever parses from it.
    pub(super) fn parsed<T: FromStr>(
        &self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, ConfigError> {
        self.text(name)?
            .map(|given| given.parse().map_err(|_| invalid(name, expected, given)))
            .transpose()
    }

    /// A whole number within bounds.
    pub(super) fn number<T: FromStr + PartialOrd + Display>(
        &self,
        name: &'static str,
        bounds: RangeInclusive<T>,
        default: T,
    ) -> Result<T, ConfigError> {
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        match self.text(name)? {
            None => Ok(default),
            Some(given) => match given.parse() {
                Ok(number) if bounds.contains(&number) => Ok(number),
                _ => Err(invalid(name, &expected, given)),
            },
        }
    }

    /// A path, which need not be UTF-8.
    pub(super) fn path(&self, name: &str, default: impl FnOnce() -> PathBuf) -> PathBuf {
        (self.lookup)(name)
            .filter(|value| !value.is_empty())
            .map_or_else(default, PathBuf::from)
    }
}

pub(super) fn invalid(name: &'static str, expected: &str, given: String) -> ConfigError {
    ConfigError::Invalid {
        name,
        expected: expected.to_owned(),
        given,
    }
}
