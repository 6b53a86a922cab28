//! A Redis Sentinel.

use std::fs;

use anyhow::{Context, Result};

use crate::{Launch, Process, Redis, ports, probe, programs};

/// The name of the master in its configuration.
const MASTER: &str = "main";

/// A Sentinel, which alone decides that its master is down and promotes a replica.
pub struct Sentinel {
    _process: Process,
    port: u16,
}

impl Sentinel {
    /// Starts a Sentinel that watches `master`, and waits until it answers.
    pub fn start(master: &Redis) -> Result<Self> {
        ports::start_at_free_port(|port| {
            let name = format!("Sentinel at port {port}");
            let launch = Launch::new(name, programs::REDIS.require()?)?;
            let settings = format!(
                "bind 127.0.0.1\nport {port}\nsentinel monitor {MASTER} 127.0.0.1 {} 1\n\
                 sentinel down-after-milliseconds {MASTER} 1000\nsentinel failover-timeout {MASTER} 10000\n",
                master.port()
            );
            fs::write(launch.folder().join("sentinel.conf"), settings)
                .context("writing a Sentinel's settings")?;
            let process = launch
                .args(["sentinel.conf", "--sentinel"])
                .ready_when(move |_| {
                    probe::redis(port, "PING").is_ok_and(|answer| answer == "PONG")
                })
                .start()?;
            Ok(Self {
                _process: process,
                port,
            })
        })
    }

    /// `redis+sentinel://127.0.0.1:PORT/main`
    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/{MASTER}", self.port)
    }

    /// Whether it knows this many replicas that it could promote.
    pub fn knows_replicas(&self, number: usize) -> Result<bool> {
        let info = probe::redis(self.port, "INFO sentinel")?;
        Ok(info.contains(&format!("slaves={number},")))
    }
}
