//! A Redis server.

use std::ops::Deref;

use anyhow::Result;

use crate::{Launch, Process, ports, probe, programs};

/// A Redis server, which keeps nothing on disk. It can be used as its [`Process`].
pub struct Redis {
    process: Process,
    port: u16,
}

impl Redis {
    /// Starts a Redis server and waits until it answers.
    pub fn start() -> Result<Self> {
        Self::with_args(&[])
    }

    /// Starts a Redis server with more arguments, in which `{port}` stands for its port. With
    /// `--port 0 --tls-port {port}` and certificates it speaks TLS, and then it counts as started when it accepts
    /// connections.
    pub fn with_args(arguments: &[&str]) -> Result<Self> {
        let speaks_tls = arguments.contains(&"--tls-port");
        ports::start_at_free_port(|port| {
            let port_text = port.to_string();
            let launch = Launch::new(format!("Redis at port {port}"), programs::REDIS.require()?)?
                .args(["--bind", "127.0.0.1", "--port", &port_text])
                .args(["--save", "", "--appendonly", "no"])
                .args(
                    arguments
                        .iter()
                        .map(|text| text.replace("{port}", &port_text)),
                )
                .ready_when(move |process| {
                    if speaks_tls {
                        return process.log().contains("Ready to accept connections");
                    }
                    match probe::redis(port, "PING") {
                        Ok(answer) => answer == "PONG",
                        Err(error) => error.to_string().contains("NOAUTH"),
                    }
                });
            let process = launch.start()?;
            Ok(Self { process, port })
        })
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends one command, its words separated by spaces, and returns the answer: text or a number, not a list.
    pub fn call(&self, command: &str) -> Result<String> {
        probe::redis(self.port, command)
    }
}

impl Deref for Redis {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}
