//! Reads settings from the command line, then the environment, then the file of `--env-file`. clap would use an empty
//! variable as a value and does not name variables in its errors, so their values are passed to it as options.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Parser, ValueHint};
use thiserror::Error;

/// Looks up the value of a variable.
pub type Lookup<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

/// Why the settings cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A wrong or missing value. The sentence names the variable and says what is allowed.
    #[error("{0}")]
    Variable(String),
    /// The file named by `--env-file` cannot be used.
    #[error("--env-file {path}: {problem}")]
    EnvFile {
        /// The path that `--env-file` names.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The command line is invalid.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
}

/// Reads the command line and variables of a command that contains a `Config`. Ends the process where clap does: after
/// `--help`, and for an unknown option.
///
/// # Errors
/// The first wrong value, or what is wrong with the file.
pub fn parse<T: Parser>() -> Result<T, ConfigError> {
    let line: Vec<_> = std::env::args_os().collect();
    let options = without_variables::<T>().ignore_errors(true);
    // An error here is a request for help or the version. The help names variables.
    let options = options
        .try_get_matches_from(&line)
        .unwrap_or_else(|_| T::command().get_matches_from(&line));
    let file = match options.get_one::<PathBuf>("env_file") {
        Some(path) => read_env_file(path)?,
        None => HashMap::new(),
    };
    let read = read(line, &|name| {
        std::env::var_os(name).or_else(|| file.get(name).map(OsString::from))
    });
    if let Err(ConfigError::CommandLine(error)) = read {
        error.exit()
    }
    read
}

/// Parses a command line and variables.
pub(super) fn read<T: Parser>(
    mut line: Vec<OsString>,
    lookup: &Lookup<'_>,
) -> Result<T, ConfigError> {
    let mut command = T::command();
    command.build();
    let variables = command
        .get_arguments()
        .filter_map(|arg| as_option(arg, lookup).transpose());
    let variables = variables.collect::<Result<Vec<_>, _>>()?;
    // If an option is given twice, the second one counts.
    line.splice(1..1, variables);
    without_variables::<T>()
        .args_override_self(true)
        .try_get_matches_from(line)
        .and_then(|matches| T::from_arg_matches(&matches))
        .map_err(|error| explain(&command, error))
}

fn without_variables<T: Parser>() -> Command {
    T::command().mut_args(|arg| arg.env(Resettable::Reset))
}

/// Returns the value of an argument's variable as `--option=value`; `None` if it is not set or empty.
fn as_option(arg: &Arg, lookup: &Lookup<'_>) -> Result<Option<OsString>, ConfigError> {
    let (Some(name), Some(option)) = (variable(arg), arg.get_long()) else {
        return Ok(None);
    };
    let mut value = lookup(name).unwrap_or_default();
    // A path need not be UTF-8.
    if arg.get_value_hint() != ValueHint::AnyPath {
        let text = value.to_str();
        let text = text.ok_or_else(|| refusal(arg, "must be UTF-8 text", &value))?;
        value = text.trim().into();
    }
    let option = OsString::from(format!("--{option}="));
    Ok((!value.is_empty()).then(|| [option, value].into_iter().collect()))
}

fn variable(arg: &Arg) -> Option<&str> {
    arg.get_env()?.to_str()
}

/// Rewrites clap's error about a variable's value so that it names the variable.
fn explain(command: &Command, error: clap::Error) -> ConfigError {
    let of_name = |shown: &str| {
        command
            .get_arguments()
            .find(|arg| arg.to_string() == shown && variable(arg).is_some())
    };
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::ValueValidation, Some(ContextValue::String(shown))) => {
            let value = match error.get(ContextKind::InvalidValue) {
                Some(ContextValue::String(value)) => value,
                _ => "",
            };
            let expected = std::error::Error::source(&error).map(ToString::to_string);
            match (of_name(shown), expected) {
                (Some(arg), Some(expected)) => refusal(arg, &expected, value.as_ref()),
                _ => error.into(),
            }
        }
        (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(missing))) => {
            let names = missing.iter().filter_map(|shown| variable(of_name(shown)?));
            let names = names.collect::<Vec<_>>();
            // It may be an argument of a subcommand, which has no variable.
            if names.is_empty() {
                return error.into();
            }
            // No other setting requires one.
            let names = names.join(" and ");
            ConfigError::Variable(format!("{names} must be set when S3_BUCKET_NAME is"))
        }
        _ => error.into(),
    }
}

/// A value that may contain a secret is not repeated.
fn refusal(arg: &Arg, expected: &str, value: &OsStr) -> ConfigError {
    let name = variable(arg).unwrap_or_default();
    ConfigError::Variable(if arg.is_hide_env_values_set() {
        format!("{name} {expected}")
    } else {
        format!("{name} {expected}, not {:?}", value.to_string_lossy())
    })
}

fn read_env_file(path: &Path) -> Result<HashMap<String, String>, ConfigError> {
    let read = dotenvy::from_path_iter(path).and_then(Iterator::collect);
    read.map_err(|error| ConfigError::EnvFile {
        path: path.display().to_string(),
        // A line of the file is not repeated, since it may contain a secret.
        problem: match error {
            dotenvy::Error::Io(error) => error.to_string(),
            dotenvy::Error::LineParse(_, column) => {
                format!("a line is not NAME=value (something is wrong at its column {column})")
            }
            _ => "it cannot be read".to_owned(),
        },
    })
}
