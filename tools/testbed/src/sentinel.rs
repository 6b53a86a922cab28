//! A Redis Sentinel.

use std::ffi::OsString;
use std::fs;

use anyhow::{Context, Result};

use crate::{Launch, Process, Redis, ports, programs, resp};

/// A Sentinel of its own, which alone decides that its master is down and promotes a replica.
pub struct Sentinel {
    _process: Process,
    port: u16,
}

/// What it calls the master.
const MASTER: &str = "main";

impl Sentinel {
    /// Starts one that watches `master`, and waits until it answers.
    ///
    /// # Errors
    /// When there is no `redis-server`, or it does not start.
    pub fn start(master: &Redis) -> Result<Self> {
        ports::retry(|| Self::start_at(ports::free_port()?, master))
    }

    fn start_at(port: u16, master: &Redis) -> Result<Self> {
        let folder = Process::folder()?;
        // It writes to this file what it learns.
        let settings = format!(
            "bind 127.0.0.1\nport {port}\nsentinel monitor {MASTER} 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds {MASTER} 1000\nsentinel failover-timeout {MASTER} 10000\n",
            master.port()
        );
        fs::write(folder.path().join("sentinel.conf"), settings)
            .context("writing a Sentinel's settings")?;
        let launch = Launch {
            leaves: Vec::new(),
            name: format!("Sentinel at port {port}"),
            program: programs::REDIS.find()?,
            arguments: ["sentinel.conf", "--sentinel"].map(OsString::from).into(),
            environment: Vec::new(),
        };
        let process = Process::start(launch, folder)?;
        process.wait_until(|| resp::call(port, "PING").is_ok_and(|answer| answer == "PONG"))?;
        Ok(Self {
            _process: process,
            port,
        })
    }

    /// `redis+sentinel://127.0.0.1:PORT/main`
    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/{MASTER}", self.port)
    }

    /// Whether it knows this many replicas that it could promote.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn knows_replicas(&self, number: usize) -> Result<bool> {
        let info = resp::call(self.port, "INFO sentinel")?;
        Ok(info.contains(&format!("slaves={number},")))
    }
}
