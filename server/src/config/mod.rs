//! The settings of a node. These structs are the reference: `tonesa --help` and the README's tables are made from their
//! attributes and doc comments. All values are checked at the start; a wrong one is reported by a sentence that names
//! its variable.

pub mod host;
mod image;
mod intervals;
mod origins;
mod read;
mod shared;
mod values;
mod warnings;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Parser;
use clap::builder::Resettable;
use ipnet::IpNet;

pub use image::{INSPECT_IMAGE, ImageLimits, InspectImage, PictureSpec, RESIZE_IMAGE, ResizeImage};
pub use intervals::{HubIntervals, SweepSchedule};
pub use origins::Origins;
pub use read::{ConfigError, Lookup, parse};
pub use shared::{Kinds, S3, Shared};
pub use values::{AdminToken, Contact, Endpoint, LogFilter, PublicUrl, Secret};
use values::{networks, number, parsed, switch};

/// Larger files are not images that people share, and would use up the node's temporary space.
const MAX_UPLOAD_BYTES: u64 = 1024 * 1024 * 1024;
/// The longest time after which an upload may expire, in seconds: a year.
pub const MAX_AGE: u32 = 365 * 24 * 60 * 60;
const MAX_RATE: u32 = 1_000_000;
const MAX_SOCKETS: usize = 1_000_000;
const PORT_RANGE: &str = "a port from 0 to 65535";

/// All settings.
#[derive(Debug, Clone, Parser)]
#[command(next_help_heading = "Settings")]
pub struct Config {
    /// Reads variables from this file; those of the environment come first
    #[arg(long, value_name = "FILE", help_heading = Resettable::Reset)]
    env_file: Option<PathBuf>,
    /// The port to listen on
    #[arg(long, env = "PORT", value_name = "PORT", default_value = "9091", value_parser = parsed::<u16>(PORT_RANGE))]
    port: u16,
    /// The address to listen on; `0.0.0.0` or `::` for all addresses
    #[arg(long, env = "TONESA_BIND", value_name = "ADDRESS", default_value = "127.0.0.1",
        value_parser = parsed::<IpAddr>("an IP address, as 127.0.0.1 or ::"))]
    bind: IpAddr,
    /// The public address, such as `https://tonesa.example`, for absolute links; only its pages may post. By default
    /// the host that a request names
    #[arg(long, env = "PUBLIC_URL", value_name = "URL", value_parser = parsed::<PublicUrl>(values::PUBLIC_URL))]
    pub public_url: Option<PublicUrl>,
    /// The folder for uploads and messages
    #[arg(
        long,
        env = "TONESA_DATA_DIR",
        value_name = "FOLDER",
        default_value = "data"
    )]
    pub data_dir: PathBuf,
    /// The folder with the packaged site; by default `site` beside the program
    #[arg(long, env = "TONESA_SITE_DIR", value_name = "FOLDER", default_value_os_t = default_site_dir(),
        hide_default_value = true)]
    pub site_dir: PathBuf,
    /// Proxies whose `X-Forwarded-*` headers are trusted, such as `10.0.0.0/8,::1`; by default none
    // The full path keeps clap from parsing one network per value.
    #[arg(long, env = "TONESA_TRUSTED_PROXIES", value_name = "NETWORKS", default_value = "", hide_default_value = true,
        value_parser = networks)]
    pub trusted_proxies: std::vec::Vec<IpNet>,
    /// 1: search engines may list image pages and images; 0: they are asked not to
    #[arg(long = "index", env = "TONESA_INDEX", value_name = "0|1", default_value = "0", value_parser = switch,
        action = clap::ArgAction::Set)]
    pub is_indexed: bool,
    /// Where complaints can be sent, for a link at the end of every page and for `security.txt`: a `mailto:` or
    /// `https:` address. By default none
    #[arg(long, env = "TONESA_CONTACT", value_name = "ADDRESS", value_parser = parsed::<Contact>(values::CONTACT))]
    pub contact: Option<Contact>,
    /// The token of whoever runs the service, who may list and remove everything with it (`/admin`, `tonesa admin`,
    /// `/api/admin`): 20 to 200 letters, digits or `-._~+/=`. By default none
    #[arg(long, env = "TONESA_ADMIN_TOKEN", value_name = "SECRET", hide_env_values = true,
        value_parser = parsed::<AdminToken>(values::ADMIN_TOKEN))]
    pub admin_token: Option<AdminToken>,
    /// Origins of other sites whose pages may be clients (read, post messages, open sockets), such as
    /// `https://client.example,http://localhost:3000`; `*` for all, by default none
    #[arg(long, env = "TONESA_ALLOWED_ORIGINS", value_name = "ORIGINS", default_value = "", hide_default_value = true,
        value_parser = parsed::<Origins>(values::ORIGINS))]
    pub allowed_origins: Origins,
    /// Origins of other sites whose pages may show image pages in a frame; `*` for all, by default none
    #[arg(long, env = "TONESA_FRAME_ANCESTORS", value_name = "ORIGINS", default_value = "", hide_default_value = true,
        value_parser = parsed::<Origins>(values::ORIGINS))]
    pub frame_ancestors: Origins,
    /// Limits.
    #[command(flatten)]
    pub limits: Limits,
    /// Whether and when images without an upload are swept.
    #[command(flatten)]
    pub sweep: SweepSchedule,
    /// A separate port for `/metrics` (Prometheus), at the address of `TONESA_BIND`; by default metrics are not served
    #[arg(long, env = "METRICS_PORT", value_name = "PORT", value_parser = parsed::<u16>(PORT_RANGE))]
    pub metrics_port: Option<u16>,
    /// Log filter, such as `info,server::hub=debug`; by default the value of `RUST_LOG`
    #[arg(long, env = "TONESA_LOG", value_name = "FILTER", value_parser = parsed::<LogFilter>(values::LOG_FILTER))]
    log: Option<LogFilter>,
    /// Log filter if `TONESA_LOG` is not set
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info",
        value_parser = parsed::<LogFilter>(values::LOG_FILTER))]
    rust_log: LogFilter,
    /// The backends that nodes share.
    #[command(flatten)]
    pub shared: Shared,
    /// This program, which is started again to check images; only tests change it.
    #[arg(skip = this_program())]
    pub program: PathBuf,
    /// Intervals of the hub; only tests change them.
    #[arg(skip)]
    pub hub_intervals: HubIntervals,
}

/// Limits (the table in protocol.md).
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Limits {
    /// Maximum bytes of a file
    #[arg(long = "max-upload-bytes", env = "TONESA_MAX_UPLOAD_BYTES", value_name = "BYTES", default_value = "20971520",
        value_parser = number(1..=MAX_UPLOAD_BYTES))]
    pub upload_bytes: u64,
    /// Maximum bytes of all images together, at all nodes; 0: no limit
    #[arg(long = "max-stored-bytes", env = "TONESA_MAX_STORED_BYTES", value_name = "BYTES", default_value = "0",
        value_parser = number(0..=u64::MAX))]
    pub stored_bytes: u64,
    /// How many bytes of the data folder's disk uploads leave free
    #[arg(long = "min-free-bytes", env = "TONESA_MIN_FREE_BYTES", value_name = "BYTES", default_value = "268435456",
        value_parser = number(0..=u64::MAX))]
    pub free_bytes: u64,
    /// How long an upload is kept at most, in seconds, and unless its sender wants it gone earlier; 0: no limit
    #[arg(long, env = "TONESA_MAX_AGE_SECONDS", value_name = "SECONDS", default_value = "0",
        value_parser = number(0..=MAX_AGE))]
    pub max_age_seconds: u32,
    /// Limits of images.
    #[command(flatten)]
    pub image: ImageLimits,
    /// Maximum uploads per client address and minute, with Redis at all nodes together; 0: no limit
    #[arg(long, env = "TONESA_UPLOADS_PER_MINUTE", value_name = "NUMBER", default_value = "30",
        value_parser = number(0..=MAX_RATE))]
    pub uploads_per_minute: u32,
    /// Maximum messages per client address and minute, with Redis at all nodes together; 0: no limit
    #[arg(long, env = "TONESA_MESSAGES_PER_MINUTE", value_name = "NUMBER", default_value = "120",
        value_parser = number(0..=MAX_RATE))]
    pub messages_per_minute: u32,
    /// Maximum requests for smaller pictures that have to be made, per client address and minute; 0: no limit
    #[arg(long, env = "TONESA_PICTURES_PER_MINUTE", value_name = "NUMBER", default_value = "120",
        value_parser = number(0..=MAX_RATE))]
    pub pictures_per_minute: u32,
    /// Maximum touches per socket and second; 0: no limit
    #[arg(long, env = "TONESA_TOUCHES_PER_SECOND", value_name = "NUMBER", default_value = "20",
        value_parser = number(0..=MAX_RATE))]
    pub touches_per_second: u32,
    /// Maximum requests for links without an upload per client address and minute; 0: no limit
    #[arg(long, env = "TONESA_MISSES_PER_MINUTE", value_name = "NUMBER", default_value = "120",
        value_parser = number(0..=MAX_RATE))]
    pub misses_per_minute: u32,
    /// Maximum open sockets
    #[arg(long = "max-sockets", env = "TONESA_MAX_SOCKETS", value_name = "NUMBER", default_value = "20000",
        value_parser = number(1..=MAX_SOCKETS))]
    pub sockets: usize,
    /// Maximum open sockets of one client address
    #[arg(long = "max-sockets-per-address", env = "TONESA_MAX_SOCKETS_PER_ADDRESS", value_name = "NUMBER",
        default_value = "1000", value_parser = number(1..=MAX_SOCKETS))]
    pub sockets_per_address: usize,
    /// Maximum open HTTP connections, not counting sockets
    #[arg(long = "max-connections", env = "TONESA_MAX_CONNECTIONS", value_name = "NUMBER", default_value = "10000",
        value_parser = number(1..=MAX_SOCKETS))]
    pub connections: usize,
    /// Maximum open HTTP connections of one client address, not counting trusted proxies
    #[arg(long = "max-connections-per-address", env = "TONESA_MAX_CONNECTIONS_PER_ADDRESS", value_name = "NUMBER",
        default_value = "1000", value_parser = number(1..=MAX_SOCKETS))]
    pub connections_per_address: usize,
}

impl Config {
    /// Reads every setting through `lookup`, without a command line.
    ///
    /// # Errors
    /// The first wrong value.
    pub fn from_env(lookup: &Lookup<'_>) -> Result<Self, ConfigError> {
        read::read(vec!["tonesa".into()], lookup)
    }

    /// Returns the address that the node listens on.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.bind, self.port)
    }

    /// Returns which events are logged.
    pub fn log_filter(&self) -> &LogFilter {
        self.log.as_ref().unwrap_or(&self.rust_log)
    }
}

/// On Linux this path names the running program, even if its file was replaced by another version meanwhile.
fn this_program() -> PathBuf {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        return running;
    }
    std::env::current_exe().unwrap_or(running)
}

/// Beside the program, or where `cargo leptos` has put it.
fn default_site_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("LEPTOS_SITE_ROOT") {
        return dir.into();
    }
    std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join("site")))
        .unwrap_or_else(|| PathBuf::from("site"))
}

#[cfg(test)]
mod documented;
#[cfg(test)]
mod tests;
