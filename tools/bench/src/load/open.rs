//! Opening sockets.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use mio::{Interest, Token};

use super::{Connection, Load, Script};

/// How long sockets may take to be ready.
const READY_WITHIN: Duration = Duration::from_mins(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// How sockets are opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// How many at a time.
    pub at_once: usize,
    /// Whether they read nothing once they watch, and the kernel keeps hardly anything for them: dead watchers.
    pub dead: bool,
}

impl Load {
    /// Opens a socket for each of these rooms and waits until all watch. Returns how long each took from the call, in
    /// microseconds.
    ///
    /// # Errors
    /// When one is refused, or not all are ready in a minute.
    pub fn open(
        &mut self,
        server: SocketAddr,
        rooms: &[usize],
        script: impl Fn(usize) -> Script,
        opening: Opening,
    ) -> Result<Histogram<u64>> {
        let start = Instant::now();
        let mut times = Histogram::new(3)?;
        let mut scripts = HashMap::new();
        let mut waiting = Vec::new();
        let mut left = rooms.iter();
        loop {
            while waiting.len() < opening.at_once
                && let Some(room) = left.next()
            {
                let script = scripts
                    .entry(*room)
                    .or_insert_with(|| Rc::new(script(*room)));
                waiting.push(self.connect(server, *room, Rc::clone(script), opening.dead)?);
            }
            if waiting.is_empty() {
                return Ok(times);
            }
            self.round(Some(BETWEEN_LOOKS))?;
            let elapsed = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
            let before = waiting.len();
            self.take_ready(&mut waiting, opening.dead)?;
            times.record_n(elapsed.max(1), (before - waiting.len()) as u64)?;
            if start.elapsed() > READY_WITHIN {
                bail!("{} sockets are not ready after a minute", waiting.len());
            }
        }
    }

    fn connect(
        &mut self,
        server: SocketAddr,
        room: usize,
        script: Rc<Script>,
        dead: bool,
    ) -> Result<usize> {
        let index = self.connections.len();
        let mut connection = Connection::open(server, index, room, script, dead)?;
        self.poll.registry().register(
            &mut connection.stream,
            Token(index),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        if self.rooms.len() <= room {
            self.rooms.resize_with(room + 1, Vec::new);
        }
        self.rooms[room].push(index);
        self.connections.push(connection);
        Ok(index)
    }

    /// Takes those that watch out of the waiting ones.
    fn take_ready(&mut self, waiting: &mut Vec<usize>, dead: bool) -> Result<()> {
        let connections = &mut self.connections;
        if waiting.iter().any(|index| connections[*index].is_closed()) {
            bail!("a socket was refused");
        }
        waiting.retain(|index| {
            let connection = &mut connections[*index];
            connection.mute = dead && connection.is_ready();
            !connection.is_ready()
        });
        Ok(())
    }
}
