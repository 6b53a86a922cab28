//! The systems that are compared: how each is started, and how it is spoken to.

mod broadcast;
mod bun;
mod centrifuge;
mod floor;
mod socketio;
pub mod tonesa;

pub use floor::Floor;
pub use tonesa::Tonesa;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use testbed::{Launch, Mongo, Node, Process, Redis};

use crate::cores::Cores;
use crate::load::Script;

/// Where programs are and where they run.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Which core does what.
    pub cores: Cores,
    /// The program `tonesa`, with its site folder beside it.
    pub tonesa: PathBuf,
    /// The folder into which the other systems were installed.
    pub peers: PathBuf,
}

impl Ground {
    /// A file of another system.
    ///
    /// # Errors
    /// When it was not installed.
    fn installed(&self, path: &str) -> Result<PathBuf> {
        let file = self.peers.join(path);
        if !file.exists() {
            bail!("not installed: {} is missing", file.display());
        }
        Ok(file)
    }
}

/// What is asked of a system.
#[derive(Debug, Clone, Copy)]
pub struct Wants<'a> {
    /// How many rooms.
    pub rooms: usize,
    /// The floor only: whether all frames that wait for a socket are written at once, instead of each alone.
    pub together: bool,
    /// The address of the Redis through which it reaches other nodes, if it is not alone.
    pub redis: Option<&'a str>,
}

impl Wants<'_> {
    /// One node, rooms as given.
    pub fn rooms(rooms: usize) -> Self {
        Self {
            rooms,
            together: false,
            redis: None,
        }
    }

    /// The same, where the floor writes all waiting frames at once.
    pub fn together(self) -> Self {
        Self {
            together: true,
            ..self
        }
    }
}

/// A system that can be started.
pub trait System: Sync {
    /// Its name on the command line and in results.
    fn name(&self) -> &'static str;

    /// What a reader calls it.
    fn title(&self) -> &'static str;

    /// Starts it on its core and waits until it serves.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    fn start(&self, ground: &Ground, wants: Wants<'_>) -> Result<Instance>;

    /// Starts two nodes of it, with the same rooms, that reach each other through a Redis on the load's core.
    ///
    /// # Errors
    /// As [`Self::start`].
    fn start_pair(&self, ground: &Ground, rooms: usize) -> Result<Pair> {
        let redis = Redis::start()?;
        let url = redis.url();
        let wants = Wants {
            redis: Some(&url),
            ..Wants::rooms(rooms)
        };
        Ok(Pair {
            first: self.start(ground, wants)?,
            second: self.start(ground, wants)?,
            publish: None,
            redis,
            _store: None,
        })
    }
}

/// The text of an event: the room's place and the event's stamp are given.
pub type Event = Box<dyn Fn(usize, &str) -> String>;

/// Two nodes of a system, in the order in which they end.
pub struct Pair {
    /// One of them.
    pub first: Instance,
    /// The other one.
    pub second: Instance,
    /// The command that publishes an event at Redis itself, if that is known.
    pub publish: Option<Event>,
    redis: Redis,
    _store: Option<Mongo>,
}

impl Pair {
    /// Where their Redis listens.
    pub fn redis_address(&self) -> SocketAddr {
        local(self.redis.port())
    }
}

/// A port of this machine.
fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// All of them, the floor and Tonesa first.
pub const ALL: [&dyn System; 6] = [
    &Floor,
    &Tonesa,
    &bun::Bun,
    &broadcast::Broadcast,
    &socketio::SocketIo,
    &centrifuge::Centrifuge,
];

/// A running system. It ends when dropped.
pub struct Instance {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it tells how often it does what, as Prometheus asks for it.
    pub metrics: Option<SocketAddr>,
    held: Held,
    speech: Speech,
}

enum Held {
    Node(Node),
    Process(Process),
}

/// How a system is spoken to.
pub struct Speech {
    /// What a socket says until it watches the room of this place.
    pub script: Box<dyn Fn(usize) -> Script>,
    /// The text frame that publishes an event.
    pub event: Event,
    /// The HTTP request that does the same, where there is one.
    pub post: Option<Event>,
}

impl Instance {
    /// What a socket says until it watches a room.
    pub fn script(&self, room: usize) -> Script {
        (self.speech.script)(room)
    }

    /// How it is spoken to.
    pub fn speech(&self) -> &Speech {
        &self.speech
    }

    /// The system's number of its process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn process(&self) -> Result<u32> {
        let process = match &self.held {
            Held::Node(node) => node.process(),
            Held::Process(process) => process,
        };
        let id = process.id().filter(|_| process.is_running());
        id.with_context(|| format!("the system has ended:\n{}", process.log()))
    }

    /// Starts a program that listens at a port of its own.
    fn start(
        ground: &Ground,
        name: &str,
        program: PathBuf,
        arguments: impl FnOnce(u16) -> Vec<String>,
        speech: Speech,
    ) -> Result<Self> {
        let address = local(testbed::free_port()?);
        let arguments = arguments(address.port());
        let launch = Launch {
            name: name.to_owned(),
            program,
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: vec![("PATH".into(), std::env::var_os("PATH").unwrap_or_default())],
            leaves: Vec::new(),
        };
        let process = ground
            .cores
            .on_system(|| Process::start(launch, Process::folder()?))?;
        process.wait_until(|| std::net::TcpStream::connect(address).is_ok())?;
        Ok(Self {
            address,
            metrics: None,
            held: Held::Process(process),
            speech,
        })
    }
}

/// Systems that take whatever text a socket sends and hand it to all of the room that its address names.
fn plain_speech() -> Speech {
    Speech {
        script: Box::new(|room| Script {
            request: crate::ws::request(&format!("/{room}"), None),
            steps: Vec::new(),
            ready: "ready",
        }),
        event: Box::new(|_, stamp| touched(UPLOAD, stamp)),
        post: None,
    }
}

/// Stands for an upload where a system knows of none.
const UPLOAD: &str = "0123456789abcdef01234567";

/// The text of an event as watchers get it, the same for all: what Tonesa makes of a touch.
fn touched(upload: &str, stamp: &str) -> String {
    format!(
        r#"{{"type":"touched","data":{{"uploadID":"{upload}","points":[{{"x":{stamp},"y":0.25,"tab":"tagoftab23"}}]}}}}"#
    )
}

/// A program that the machine has.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let files = std::env::split_paths(&path).map(|folder| folder.join(name));
    files.into_iter().find(|file| file.is_file())
}
