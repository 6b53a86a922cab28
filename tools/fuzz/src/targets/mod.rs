//! The targets.

mod broker;
mod images;
mod json;
mod multipart;
mod settings;
mod websocket;

use std::path::PathBuf;

use tempfile::TempDir;

pub use self::broker::SEPARATOR;

use crate::seeds;

/// Something that reads bytes of others.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Runs it. Panics if something does not hold.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub fn all() -> impl Iterator<Item = Target> {
    let target = |(name, run, seeds)| Target { name, run, seeds };
    TARGETS.into_iter().map(target)
}

type Row = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

const TARGETS: [Row; 12] = [
    ("frames", websocket::run, seeds::frames),
    ("commands", json::commands, seeds::json),
    ("events", json::events, seeds::json),
    ("entries", json::entries, seeds::json),
    ("bodies", json::bodies, seeds::bodies),
    ("broker", broker::run, seeds::payloads),
    ("multipart", multipart::run, seeds::forms),
    ("settings", settings::run, seeds::settings),
    ("png", images::png, seeds::pngs),
    ("jpeg", images::jpeg, seeds::jpegs),
    ("gif", images::gif, seeds::gifs),
    ("webp", images::webp, seeds::webps),
];

thread_local! {
    static FOLDER: TempDir = TempDir::new().expect("a temporary folder can be created");
}

/// A temporary folder of this thread.
fn folder() -> PathBuf {
    FOLDER.with(|folder| folder.path().to_owned())
}
