//! What is said on the command line, and where the variables come from.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

use super::Config;
use super::image::{INSPECT_IMAGE, InspectImage};
use super::reader::ConfigError;

/// Drop an image, get a link, talk about it live.
///
/// Everything is set by environment variables; see the configuration table in the README.
#[derive(Debug, Parser)]
#[command(name = "tonesa", version, disable_help_subcommand = true)]
pub struct Args {
    /// Read variables from this file; those of the environment come first
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Run no node, but ask the one that runs with these settings whether it is ready
    #[arg(long)]
    pub check: bool,
    /// What the program does for a node, instead of running one.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program is told by itself only.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Checks one picture for the node that started it.
    #[command(name = INSPECT_IMAGE, hide = true)]
    InspectImage(InspectImage),
}

/// Reads the settings from the environment and from the file that `--env-file` names.
///
/// # Errors
/// The first wrong value, or what is wrong with the file.
pub fn load(args: &Args) -> Result<Config, ConfigError> {
    let file = match &args.env_file {
        Some(path) => read_env_file(path)?,
        None => HashMap::new(),
    };
    Config::from_env(&|name| {
        let from_file = || file.get(name).map(OsString::from);
        std::env::var_os(name).or_else(from_file)
    })
}

fn read_env_file(path: &Path) -> Result<HashMap<String, String>, ConfigError> {
    dotenvy::from_path_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| ConfigError::EnvFile {
            path: path.display().to_string(),
            problem: describe(&error),
        })
}

/// Says what is wrong without repeating a line of the file: it may hold a secret.
fn describe(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::Io(error) => error.to_string(),
        dotenvy::Error::LineParse(_, column) => {
            format!("a line is not NAME=value (something is wrong at its column {column})")
        }
        _ => "it cannot be read".to_owned(),
    }
}
