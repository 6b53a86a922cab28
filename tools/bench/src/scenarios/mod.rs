//! What is measured. Each scenario takes its figures once, of one system; the same scenario then takes its turn with the
//! next system, so that what slows the machine for a while slows them all.

mod cross_node;
mod latency;
mod light;
pub mod memory;
mod page;
mod posts;
mod reconnect;
mod rooms;
mod saturation;
mod scene;
mod slow;
mod store;
mod upload;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;

pub use scene::Scene;

use crate::http::Client;
use crate::systems::{Ground, System};

/// What people write, for messages of which only their number is measured.
pub const WORDS: &str = "the shadow on the left side is what I would fix first";

/// A scenario's name on the command line and in results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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
    /// What was measured.
    pub figure: &'static str,
    /// In what it is told.
    pub unit: Unit,
    /// How much of it.
    pub value: f64,
}

/// What a figure is told in, and which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Deliveries for each second of the system's processor time; more is better.
    PerCpuSecond,
    /// Things a second; more is better.
    PerSecond,
    /// Milliseconds; less is better.
    Milliseconds,
    /// KiB; less is better.
    Kibibytes,
    /// One figure divided by another.
    Ratio,
    /// A number of things that should not be; less is better.
    Count,
}

/// What every scenario needs.
pub struct Bench {
    /// Where programs are and where they run.
    pub ground: Ground,
    /// How long something is measured.
    pub duration: Duration,
    /// How many sockets watch.
    pub watchers: usize,
    /// The rate that a search found the last time, by scenario and system.
    pub found: Mutex<HashMap<(&'static str, &'static str), f64>>,
}

/// Tells the person at the keyboard how it goes.
pub fn tell(what: &str) {
    eprintln!("bench: {what}");
}

impl Scenario {
    /// All of them.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Its name.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What a reader calls it.
    pub fn title(self) -> String {
        let value = self.to_possible_value();
        let help = value.and_then(|value| value.get_help().map(ToString::to_string));
        help.unwrap_or_default()
    }

    /// Does it say anything about this system?
    pub fn is_for(self, system: &dyn System) -> bool {
        let name = system.name();
        match self {
            Self::Posts | Self::Page | Self::Store | Self::Upload => name == "tonesa",
            // The others do not keep up with what it sends.
            Self::Slow => ["floor", "tonesa", "bun"].contains(&name),
            Self::CrossNode => ["tonesa", "socketio", "centrifuge"].contains(&name),
            _ => true,
        }
    }

    /// Takes its figures of a system, once.
    ///
    /// # Errors
    /// When the system does not start, or ends.
    pub fn once(self, bench: &Bench, system: &dyn System) -> Result<Vec<Sample>> {
        match self {
            Self::Light => light::once(bench, system),
            Self::Saturation => saturation::once(bench, system),
            Self::Rooms => rooms::once(bench, system),
            Self::Latency => latency::once(bench, system),
            Self::Memory => memory::once(bench, system),
            Self::Slow => slow::once(bench, system),
            Self::Reconnect => reconnect::once(bench, system),
            Self::Posts => posts::once(bench, system),
            Self::CrossNode => cross_node::once(bench, system),
            Self::Page => page::once(bench, system),
            Self::Store => store::once(bench, system),
            Self::Upload => upload::once(bench, system),
        }
    }
}

fn sample(figure: &'static str, unit: Unit, value: f64) -> Sample {
    Sample {
        figure,
        unit,
        value,
    }
}

/// Sends requests on some connections, the next one on each as soon as its answer is there; how many answers came in this
/// time. `request` is given the number of the request.
fn closed_loop(
    server: SocketAddr,
    connections: usize,
    duration: Duration,
    request: impl Fn(usize) -> String,
) -> Result<usize> {
    let mut clients = Vec::new();
    let mut sent = 0;
    for _ in 0..connections {
        let mut client = Client::connect(server)?;
        client.send(request(sent).as_bytes())?;
        clients.push(client);
        sent += 1;
    }
    let mut answers = 0;
    let start = Instant::now();
    while start.elapsed() < duration {
        for client in &mut clients {
            client.answer()?;
            client.send(request(sent).as_bytes())?;
            answers += 1;
            sent += 1;
        }
    }
    Ok(answers)
}
