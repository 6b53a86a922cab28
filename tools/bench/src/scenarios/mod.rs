//! What is measured. Each scenario takes its figures once, of one system; the same scenario then takes its turn with
//! the next system, so that what slows the machine for a while slows them all.

mod cross_node;
pub mod memory;
mod page;
mod posts;
mod reconnect;
mod saturation;
mod session;
mod store;
mod touches;
mod upload;

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::ValueEnum;

pub use session::Session;

use crate::cores::Cores;
use crate::http::Client;
use crate::systems::System;

/// A scenario, its name on the command line and in results, and what a reader calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Scenario {
    /// 1,000 watchers of one image, 20 touches a second
    Light,
    /// 1,000 watchers of one image, as many touches as go through
    Saturation,
    /// 2,000 images with 5 watchers each, as many touches as go through
    Rooms,
    /// One watcher who sees their own touches
    Latency,
    /// Memory of idle watchers
    Memory,
    /// 200 touches a second, and one of 1,000 watchers reads nothing any more
    Slow,
    /// 10,000 watchers who come back at once
    Reconnect,
    /// Messages over HTTP, durable before they are sent, and 1,000 watchers
    Posts,
    /// Two nodes through Redis, 1,000 watchers
    CrossNode,
    /// Requests for the page that a link opens
    Page,
    /// Durable posts over HTTP with SQLite, 64 at a time
    Store,
    /// The upload of a picture of 24 megapixels
    Upload,
}

/// One figure, taken once.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub figure: &'static str,
    pub unit: Unit,
    pub value: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Deliveries or requests for each second of the system's processor time.
    PerCpuSecond,
    PerSecond,
    Milliseconds,
    Kibibytes,
    Ratio,
    /// Things that should not be.
    Count,
}

/// What every scenario needs.
pub struct Bench {
    pub cores: Cores,
    /// The program `tonesa`, with its site folder beside it.
    pub tonesa: PathBuf,
    /// The folder into which the other systems were installed.
    pub peers: PathBuf,
    /// How long something is measured.
    pub duration: Duration,
    pub watchers: usize,
    /// The rates that searches found the last time.
    pub found: RefCell<HashMap<(&'static str, System), f64>>,
}

impl Bench {
    pub fn new(
        tonesa: PathBuf,
        peers: PathBuf,
        duration: Duration,
        watchers: usize,
    ) -> Result<Self> {
        rlimit::increase_nofile_limit(rlimit::INFINITY)?;
        Ok(Self {
            cores: Cores::take()?,
            tonesa,
            peers,
            duration,
            watchers,
            found: RefCell::default(),
        })
    }

    /// A file of another system.
    pub fn peer(&self, path: &str) -> Result<PathBuf> {
        let file = self.peers.join(path);
        ensure!(
            file.exists(),
            "not installed: {} is missing",
            file.display()
        );
        Ok(file)
    }
}

/// A scenario's or a system's name on the command line.
pub fn name(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// What a reader calls a scenario or a system.
pub fn title(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value();
    let help = value.and_then(|value| value.get_help().map(ToString::to_string));
    help.unwrap_or_default()
}

impl Scenario {
    /// Whether it says anything about this system.
    pub fn is_for(self, system: System) -> bool {
        use System::{Bare, Bun, Centrifuge, SocketIo, Tonesa};
        match self {
            Self::Page | Self::Store | Self::Upload => system == Tonesa,
            Self::Posts => matches!(system, Bare | Tonesa),
            // The others do not keep up with what it sends.
            Self::Slow => matches!(system, Bare | Tonesa | Bun),
            Self::CrossNode => matches!(system, Tonesa | SocketIo | Centrifuge),
            _ => true,
        }
    }

    /// Takes its figures of a system, once.
    pub fn run(self, bench: &Bench, system: System) -> Result<Vec<Sample>> {
        match self {
            Self::Light => touches::light(bench, system),
            Self::Saturation => saturation::one_room(bench, system),
            Self::Rooms => saturation::many_rooms(bench, system),
            Self::Latency => touches::one_watcher(bench, system),
            Self::Memory => memory::run(bench, system),
            Self::Slow => touches::slow(bench, system),
            Self::Reconnect => reconnect::run(bench, system),
            Self::Posts => posts::run(bench, system),
            Self::CrossNode => cross_node::run(bench, system),
            Self::Page => page::run(bench),
            Self::Store => store::run(bench),
            Self::Upload => upload::run(bench),
        }
    }
}

pub fn sample(figure: &'static str, unit: Unit, value: f64) -> Sample {
    Sample {
        figure,
        unit,
        value,
    }
}

/// Sends requests on some connections, the next one on each as soon as its response is there; how many responses came
/// in this time. `request` makes a request of its number.
fn closed_loop(
    server: SocketAddr,
    connections: usize,
    duration: Duration,
    request: impl Fn(usize) -> String,
) -> Result<usize> {
    let mut clients = Vec::new();
    for number in 0..connections {
        let mut client = Client::connect(server)?;
        client.send(request(number))?;
        clients.push(client);
    }
    let mut responses = 0;
    let start = Instant::now();
    while start.elapsed() < duration {
        for client in &mut clients {
            client.response()?;
            client.send(request(connections + responses))?;
            responses += 1;
        }
    }
    Ok(responses)
}
