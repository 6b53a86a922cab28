//! A Redis.

use std::ffi::OsString;

use anyhow::Result;

use crate::process::pass_on_to_process;
use crate::{Launch, Process, ports, programs, resp};

/// A Redis of its own, which keeps nothing on disk.
pub struct Redis {
    process: Process,
    port: u16,
    speaks_tls: bool,
}

impl Redis {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    /// When there is no `redis-server`, or it does not start.
    pub fn start() -> Result<Self> {
        Self::with_args(&[])
    }

    /// Starts one with more of `redis-server`'s arguments, of which `{port}` stands for the port of this server. With
    /// `--port 0 --tls-port {port}` and certificates it speaks TLS, and then it counts as started when it accepts
    /// connections.
    ///
    /// # Errors
    /// When there is no `redis-server`, or it does not start.
    pub fn with_args(arguments: &[&str]) -> Result<Self> {
        ports::retry(|| Self::start_at(ports::free_port()?, arguments))
    }

    fn start_at(port: u16, more: &[&str]) -> Result<Self> {
        let port_text = port.to_string();
        let own = [
            "--bind",
            "127.0.0.1",
            "--port",
            &port_text,
            "--save",
            "",
            "--appendonly",
            "no",
        ];
        let more = more.iter().map(|text| text.replace("{port}", &port_text));
        let arguments = own.iter().map(OsString::from).chain(more.map(Into::into));
        let launch = Launch {
            name: format!("Redis at port {port}"),
            program: programs::REDIS.find()?,
            arguments: arguments.collect(),
            environment: Vec::new(),
            leaves: Vec::new(),
        };
        let speaks_tls = launch
            .arguments
            .iter()
            .any(|argument| argument == "--tls-port");
        let redis = Self {
            process: Process::start(launch, Process::folder()?)?,
            port,
            speaks_tls,
        };
        redis.wait()?;
        Ok(redis)
    }

    fn wait(&self) -> Result<()> {
        self.process.wait_until(|| {
            if self.speaks_tls {
                return self.process.log().contains("Ready to accept connections");
            }
            match resp::call(self.port, "PING") {
                Ok(answer) => answer == "PONG",
                Err(error) => error.to_string().contains("NOAUTH"),
            }
        })
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends one command, its words parted by spaces, and gives the answer: text or a number, not a list.
    ///
    /// # Errors
    /// When Redis refuses the command or does not answer within a second.
    pub fn call(&self, command: &str) -> Result<String> {
        resp::call(self.port, command)
    }

    pass_on_to_process!();

    /// Starts it again at the same port, after ending it if it still runs, and waits until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&self) -> Result<()> {
        self.process.restart()?;
        self.wait()
    }
}
