//! A node of Tonesa.

use std::{env, ffi::OsString, path::Path};

use anyhow::Result;

use crate::process::pass_on_to_process;
use crate::{Launch, Process, http, ports};

/// A node as a process of its own, with a data folder of its own.
pub struct Node {
    process: Process,
    port: u16,
}

impl Node {
    /// Starts `program` with these variables and none of this process's own, beyond `PATH`, and waits until it serves.
    /// Where the variables do not say otherwise it limits nobody's uploads and messages per minute.
    ///
    /// # Errors
    /// When it does not start; the error shows its log.
    pub fn start(program: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        ports::retry(|| Self::start_at(ports::free_port()?, program, environment))
    }

    fn start_at(port: u16, program: &Path, environment: &[(&str, &str)]) -> Result<Self> {
        let folder = Process::folder()?;
        let launch = Launch {
            name: format!("the node at port {port}"),
            program: program.to_path_buf(),
            arguments: Vec::new(),
            environment: variables(port, folder.path(), environment),
            leaves: Vec::new(),
        };
        let node = Self {
            process: Process::start(launch, folder)?,
            port,
        };
        node.wait()?;
        Ok(node)
    }

    fn wait(&self) -> Result<()> {
        self.process.wait_until(|| {
            self.process.log().contains("serving at http://")
                && matches!(http::status(self.port, "/livez"), Ok(200))
        })
    }

    /// `http://127.0.0.1:PORT`
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    pass_on_to_process!();

    /// Asks it to leave and waits until it is gone.
    ///
    /// # Errors
    /// When it does not run, or does not leave within half a minute.
    pub fn terminate(&self) -> Result<()> {
        self.process.terminate()
    }

    /// Starts it again at the same port with the same data, after ending it if it still runs, and waits until it
    /// serves.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&self) -> Result<()> {
        self.process.restart()?;
        self.wait()
    }
}

/// Of two values of one variable the later one counts.
fn variables(port: u16, folder: &Path, given: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    let own = [
        ("PATH", env::var_os("PATH").unwrap_or_default()),
        ("PORT", port.to_string().into()),
        ("RUST_BACKTRACE", "1".into()),
        ("TONESA_DATA_DIR", folder.join("data").into()),
        ("TONESA_UPLOADS_PER_MINUTE", "0".into()),
        ("TONESA_MESSAGES_PER_MINUTE", "0".into()),
        ("TONESA_MISSES_PER_MINUTE", "0".into()),
    ];
    let given = given
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    own.into_iter()
        .map(|(name, value)| (OsString::from(name), value))
        .chain(given)
        .collect()
}
