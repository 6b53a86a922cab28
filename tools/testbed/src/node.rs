//! A node of Tonesa.

use std::{env, net::SocketAddr, ops::Deref, path::Path};

use anyhow::Result;

use crate::{Launch, Process, ports, probe};

/// A node as a process of its own, with a data folder of its own. It can be used as its [`Process`].
pub struct Node {
    process: Process,
    port: u16,
}

impl Node {
    /// Starts `program` with these variables and none of this process' own, beyond `PATH`, and waits until it serves.
    /// By default it does not limit what a client does in a minute.
    pub fn start(program: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        ports::start_at_free_port(|port| {
            let launch = Launch::new(format!("the node at port {port}"), program)?;
            let data = launch.folder().join("data");
            let launch = launch
                .env("PATH", env::var_os("PATH").unwrap_or_default())
                .env("PORT", port.to_string())
                .env("RUST_BACKTRACE", "1")
                .env("TONESA_DATA_DIR", data)
                .env("TONESA_UPLOADS_PER_MINUTE", "0")
                .env("TONESA_MESSAGES_PER_MINUTE", "0")
                .env("TONESA_PICTURES_PER_MINUTE", "0")
                .env("TONESA_MISSES_PER_MINUTE", "0");
            let launch = environment
                .iter()
                .fold(launch, |launch, (name, value)| launch.env(name, value))
                .ready_when(move |process| {
                    process.log().contains("serving at http://")
                        && matches!(probe::http_status(port, "/livez"), Ok(200))
                });
            let process = launch.start()?;
            Ok(Self { process, port })
        })
    }

    /// `http://127.0.0.1:PORT`
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The address that the node serves at.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// The node's process.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

impl Deref for Node {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl From<Node> for Process {
    fn from(node: Node) -> Self {
        node.process
    }
}
