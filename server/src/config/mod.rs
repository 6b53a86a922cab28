//! What a node is told by its environment: the one reader of it. Every value is typed and checked at start; a wrong
//! one stops the start with a sentence that names the variable.

pub mod args;
mod doubts;
pub mod host;
mod image;
mod intervals;
mod kinds;
mod reader;
mod secret;
mod shared;
mod values;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

pub use image::{INSPECT_IMAGE, ImageLimits, InspectImage};
pub use intervals::{Pace, SweepPace};
pub use kinds::Kinds;
use reader::Reader;
pub use reader::{ConfigError, Lookup};
pub use secret::Secret;
pub use shared::{S3, Shared};
pub use values::{Endpoint, LogFilter, PublicUrl};

/// The port unless told.
const DEFAULT_PORT: u16 = 9091;
const MEBIBYTE: u64 = 1024 * 1024;
/// Beyond this a file is no longer a picture that people share, and the node's temporary space is at risk.
const MAX_UPLOAD_BYTES: u64 = 1024 * MEBIBYTE;
/// Beyond these a limit would be none: a picture could keep a decoder busy for minutes.
const MAX_PIXELS: u64 = 1_000_000_000;
const MAX_ANIMATION_PIXELS: u64 = 100_000_000_000;
const MAX_RATE: u32 = 1_000_000;
const MAX_SOCKETS: usize = 1_000_000;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// `TONESA_BIND` and `PORT`: where the node listens.
    pub bind: SocketAddr,
    /// `PUBLIC_URL`: the address under which people reach the node, if it was told.
    pub public_url: Option<PublicUrl>,
    /// `TONESA_DATA_DIR`: the folder of the embedded storage.
    pub data_dir: PathBuf,
    /// What is shared with other nodes.
    pub shared: Shared,
    /// `METRICS_PORT`: where metrics are told, at the address of `TONESA_BIND`; nowhere unless told.
    pub metrics_port: Option<u16>,
    /// `TONESA_SITE_DIR`: the folder of the packaged files.
    pub site_dir: PathBuf,
    /// What is allowed, and how much of it.
    pub limits: Limits,
    /// `TONESA_TRUSTED_PROXIES`: whose word about a client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// `TONESA_LOG`, else `RUST_LOG`: what is logged.
    pub log: LogFilter,
    /// `TONESA_SWEEP`: whether images that no upload refers to are swept. The intervals are not to be set from outside.
    pub sweep: SweepPace,
    /// This program, which is started again to check pictures; not to be set from outside.
    pub program: PathBuf,
    /// What the hub does at intervals; not to be set from outside.
    pub pace: Pace,
}

/// What is allowed, and how much of it (protocol.md, the table of limits).
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `TONESA_MAX_UPLOAD_BYTES`: bytes of a file.
    pub upload_bytes: u64,
    /// `TONESA_MAX_PIXELS`, `TONESA_MAX_ANIMATION_PIXELS`: what a picture may be.
    pub image: ImageLimits,
    /// `TONESA_UPLOADS_PER_MINUTE`: uploads per client address and minute; 0 is no limit.
    pub uploads_per_minute: u32,
    /// `TONESA_MESSAGES_PER_MINUTE`: messages per client address and minute; 0 is no limit.
    pub messages_per_minute: u32,
    /// `TONESA_TOUCHES_PER_SECOND`: touches per socket and second; 0 is no limit.
    pub touches_per_second: u32,
    /// `TONESA_MAX_SOCKETS`: open sockets on this node.
    pub sockets: usize,
    /// `TONESA_MAX_SOCKETS_PER_ADDRESS`: open sockets of one client address.
    pub sockets_per_address: usize,
    /// `TONESA_MAX_CONNECTIONS`: open HTTP connections on this node, sockets left out.
    pub connections: usize,
    /// `TONESA_MAX_CONNECTIONS_PER_ADDRESS`: those of one client address.
    pub connections_per_address: usize,
    /// `TONESA_MISSES_PER_MINUTE`: short ids without an upload that one client address may try in a minute; 0 is no
    /// limit.
    pub misses_per_minute: u32,
}

impl Config {
    /// Reads every setting through `lookup`; a variable that is empty counts as not set.
    ///
    /// # Errors
    /// The first wrong value.
    pub fn from_env(lookup: &Lookup<'_>) -> Result<Self, ConfigError> {
        let env = Reader::new(lookup);
        let host = env.parsed("TONESA_BIND", "an IP address, as 127.0.0.1 or ::")?;
        let port = env.parsed("PORT", "a port from 0 to 65535")?;
        Ok(Self {
            bind: SocketAddr::new(
                host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                port.unwrap_or(DEFAULT_PORT),
            ),
            public_url: env.parsed("PUBLIC_URL", values::PUBLIC_URL)?,
            data_dir: env.path("TONESA_DATA_DIR", || PathBuf::from("data")),
            shared: Shared::from_env(&env)?,
            metrics_port: env.parsed("METRICS_PORT", "a port from 0 to 65535")?,
            site_dir: env.path("TONESA_SITE_DIR", site_beside_executable),
            limits: Limits::from_env(&env)?,
            trusted_proxies: values::networks(&env, "TONESA_TRUSTED_PROXIES")?,
            log: values::log_filter(&env)?,
            sweep: SweepPace {
                is_on: env.switch("TONESA_SWEEP", true)?,
                ..SweepPace::default()
            },
            program: this_program(),
            pace: Pace::default(),
        })
    }
}

impl Limits {
    fn from_env(env: &Reader<'_>) -> Result<Self, ConfigError> {
        let image = ImageLimits::default();
        let image = ImageLimits {
            pixels: env.number("TONESA_MAX_PIXELS", 1..=MAX_PIXELS, image.pixels)?,
            animation_pixels: env.number(
                "TONESA_MAX_ANIMATION_PIXELS",
                1..=MAX_ANIMATION_PIXELS,
                image.animation_pixels,
            )?,
            ..image
        };
        Ok(Self {
            upload_bytes: env.number(
                "TONESA_MAX_UPLOAD_BYTES",
                1..=MAX_UPLOAD_BYTES,
                20 * MEBIBYTE,
            )?,
            image,
            uploads_per_minute: env.number("TONESA_UPLOADS_PER_MINUTE", 0..=MAX_RATE, 30)?,
            messages_per_minute: env.number("TONESA_MESSAGES_PER_MINUTE", 0..=MAX_RATE, 120)?,
            touches_per_second: env.number("TONESA_TOUCHES_PER_SECOND", 0..=MAX_RATE, 20)?,
            sockets: env.number("TONESA_MAX_SOCKETS", 1..=MAX_SOCKETS, 20_000)?,
            sockets_per_address: env.number(
                "TONESA_MAX_SOCKETS_PER_ADDRESS",
                1..=MAX_SOCKETS,
                1_000,
            )?,
            connections: env.number("TONESA_MAX_CONNECTIONS", 1..=MAX_SOCKETS, 10_000)?,
            connections_per_address: env.number(
                "TONESA_MAX_CONNECTIONS_PER_ADDRESS",
                1..=MAX_SOCKETS,
                1_000,
            )?,
            misses_per_minute: env.number("TONESA_MISSES_PER_MINUTE", 0..=MAX_RATE, 120)?,
        })
    }
}

/// On Linux the running program itself, also when its file was replaced meanwhile by another version.
fn this_program() -> PathBuf {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        return running;
    }
    std::env::current_exe().unwrap_or(running)
}

/// The release program and its files lie in one folder.
fn site_beside_executable() -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join("site")))
        .unwrap_or_else(|| PathBuf::from("site"))
}

#[cfg(test)]
mod documented;
#[cfg(test)]
mod tests;
