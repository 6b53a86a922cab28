//! The systems that are compared: how each is started, and its protocol.

mod protocol;
pub mod tonesa;

pub use protocol::{Event, Protocol};

use protocol::{posted, touched};

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use anyhow::Result;
use clap::ValueEnum;
use testbed::{Launch, Mongo, Process, Redis};

use crate::load::Script;
use crate::scenarios::{Bench, title};

/// A system, its name on the command line, and what a reader calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum System {
    /// bare program
    Bare,
    /// Tonesa
    Tonesa,
    /// Bun
    Bun,
    /// axum + broadcast
    Broadcast,
    /// Socket.IO
    #[value(name = "socketio")]
    SocketIo,
    /// Centrifuge
    Centrifuge,
}

/// How a system is started.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    pub rooms: usize,
    /// The bare program only: whether all frames that wait for a room are one write.
    pub merge_frames: bool,
    /// The bare program only: whether its events are as long as Tonesa's messages rather than touches.
    pub long_events: bool,
    /// The Redis through which it reaches another node.
    pub redis: Option<&'a str>,
}

impl Setup<'_> {
    pub fn rooms(rooms: usize) -> Self {
        Self {
            rooms,
            merge_frames: false,
            long_events: false,
            redis: None,
        }
    }

    /// For saturation.
    pub fn merging(rooms: usize) -> Self {
        Self {
            merge_frames: true,
            ..Self::rooms(rooms)
        }
    }
}

/// A running system.
pub struct Instance {
    pub address: SocketAddr,
    /// Where it serves its metrics.
    pub metrics: Option<SocketAddr>,
    pub protocol: Protocol,
    pub process: Process,
}

/// Two nodes of a system that share a Redis.
pub struct Pair {
    pub first: Instance,
    pub second: Instance,
    /// The Redis command that publishes an event as a node would, if it is known.
    pub publish: Option<Event>,
    redis: Redis,
    _store: Option<Mongo>,
}

impl System {
    /// Starts it on its core and waits until it serves.
    pub fn start(self, bench: &Bench, setup: Setup<'_>) -> Result<Instance> {
        let (program, script, protocol) = match self {
            Self::Tonesa => return tonesa::start(bench, setup.rooms),
            Self::Bare | Self::Broadcast => {
                let command = if self == Self::Bare {
                    "bare"
                } else {
                    "broadcast"
                };
                let protocol = Protocol::plain(if setup.long_events { posted } else { touched });
                (env::current_exe()?, Some(command.into()), protocol)
            }
            Self::Bun => {
                let script = bench.peer("bun/server.js")?;
                (
                    bench.peer("bun/bun")?,
                    Some(script),
                    Protocol::plain(touched),
                )
            }
            Self::SocketIo => {
                let script = bench.peer("socketio/server.mjs")?;
                ("node".into(), Some(script), Protocol::socketio())
            }
            Self::Centrifuge => {
                let program = bench.peer("centrifuge/centrifuge")?;
                (program, None, Protocol::centrifuge())
            }
        };
        let option = match self {
            Self::Bare => setup.merge_frames.then_some("--merge-frames"),
            _ => setup.redis,
        };
        let port = testbed::free_port()?;
        let address = local(port);
        let launch = Launch::new(title(&self), program)?
            .args(script)
            .args([port.to_string()])
            .args(option)
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .ready_when(move |_| TcpStream::connect(address).is_ok());
        Ok(Instance {
            address,
            metrics: None,
            protocol,
            process: bench.cores.on_system(|| launch.start())?,
        })
    }

    /// Starts two nodes of it, with the same rooms, that reach each other through a Redis on the load's core.
    pub fn start_pair(self, bench: &Bench, rooms: usize) -> Result<Pair> {
        if self == Self::Tonesa {
            return tonesa::start_pair(bench, rooms);
        }
        let redis = Redis::start()?;
        let url = redis.url();
        let setup = Setup {
            redis: Some(&url),
            ..Setup::rooms(rooms)
        };
        Ok(Pair {
            first: self.start(bench, setup)?,
            second: self.start(bench, setup)?,
            publish: None,
            redis,
            _store: None,
        })
    }
}

impl Instance {
    pub fn script(&self, room: usize) -> Script {
        (self.protocol.script)(room)
    }
}

impl Pair {
    pub fn redis_address(&self) -> SocketAddr {
        local(self.redis.port())
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
