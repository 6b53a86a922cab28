//! Opening sockets.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{Connection, Load, Script};

const READY_TIMEOUT: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How sockets are opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    pub at_once: usize,
    /// Whether they read nothing once they watch, and the kernel keeps hardly anything for them.
    pub stalled: bool,
}

/// Fewer at once than a listening socket queues.
pub const GRADUALLY: Opening = Opening {
    at_once: 100,
    stalled: false,
};

impl Load {
    /// Opens a socket for each of these rooms and waits until all watch; how long that took.
    pub fn open(
        &mut self,
        server: SocketAddr,
        rooms: &[usize],
        script: impl Fn(usize) -> Script,
        opening: Opening,
    ) -> Result<Duration> {
        let start = Instant::now();
        let mut scripts = HashMap::new();
        let mut waiting = Vec::new();
        let mut left = rooms.iter();
        loop {
            while waiting.len() < opening.at_once
                && let Some(&room) = left.next()
            {
                let script = scripts.entry(room).or_insert_with(|| Rc::new(script(room)));
                let index = self.connections.len();
                let script = Rc::clone(script);
                let connection =
                    Connection::open(server, &self.poll, index, room, script, opening.stalled)?;
                if self.rooms.len() <= room {
                    self.rooms.resize_with(room + 1, Vec::new);
                }
                self.rooms[room].push(index);
                self.connections.push(connection);
                waiting.push(index);
            }
            if waiting.is_empty() {
                return Ok(start.elapsed());
            }
            self.round(Some(POLL_INTERVAL))?;
            let connections = &mut self.connections;
            if waiting.iter().any(|index| connections[*index].is_closed()) {
                bail!("a socket was refused");
            }
            waiting.retain(|index| {
                let connection = &mut connections[*index];
                connection.stalled = opening.stalled && connection.is_ready();
                !connection.is_ready()
            });
            if start.elapsed() > READY_TIMEOUT {
                bail!("{} sockets are not ready after a minute", waiting.len());
            }
        }
    }
}
