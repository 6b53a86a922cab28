//! A program in a folder of its own.

mod leash;
mod running;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use tempfile::TempDir;

use running::Running;

/// A server that has not answered by then will not.
const READY_WITHIN: Duration = Duration::from_mins(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// How to start a program.
pub struct Launch {
    /// What it is called in errors.
    pub name: String,
    /// The program's file.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its environment: nothing else is passed on.
    pub environment: Vec<(OsString, OsString)>,
    /// What it leaves outside its folder when it is killed: removed with the handle.
    pub leaves: Vec<PathBuf>,
}

/// A process, which can be frozen, ended and started again.
pub struct Process {
    launch: Launch,
    running: Mutex<Option<Running>>,
    folder: TempDir,
}

/// What a server that is one process passes on to it, its field `process`.
macro_rules! pass_on_to_process {
    () => {
        /// Its process, for its log and the like.
        pub fn process(&self) -> &Process {
            &self.process
        }

        /// Stops it in its tracks: connections stay open, and nothing answers.
        ///
        /// # Errors
        /// When it does not run.
        pub fn freeze(&self) -> Result<()> {
            self.process.freeze()
        }

        /// Lets it go on.
        ///
        /// # Errors
        /// When it does not run.
        pub fn thaw(&self) -> Result<()> {
            self.process.thaw()
        }

        /// Ends it at once.
        ///
        /// # Errors
        /// As [`Process::kill`].
        pub fn kill(&self) -> Result<()> {
            self.process.kill()
        }
    };
}
pub(crate) use pass_on_to_process;

impl Process {
    /// An empty folder for a process to come: where its data and its log file `log` lie. Removed with the handle.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn folder() -> Result<TempDir> {
        tempfile::Builder::new()
            .prefix("tonesa-testbed-")
            .tempdir()
            .context("making a folder for a server")
    }

    /// Starts it with `folder` as its current directory. Does not wait for anything.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(launch: Launch, folder: TempDir) -> Result<Self> {
        let running = Running::start(&launch, folder.path())?;
        Ok(Self {
            launch,
            running: Mutex::new(Some(running)),
            folder,
        })
    }

    /// Waits until `is_ready`.
    ///
    /// # Errors
    /// When the process ends before, or is not ready within a minute; the error shows what it said.
    pub fn wait_until(&self, mut is_ready: impl FnMut() -> bool) -> Result<()> {
        let start = Instant::now();
        while !is_ready() {
            let name = &self.launch.name;
            if !self.is_running() {
                bail!("{name} ended while it was being started:\n{}", self.log());
            }
            if start.elapsed() > READY_WITHIN {
                bail!("{name} does not answer:\n{}", self.log());
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        Ok(())
    }

    /// Ends it if it still runs, and starts it again with the same arguments in the same folder. Does not wait for
    /// anything but the end.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn restart(&self) -> Result<()> {
        let mut running = self.lock();
        *running = None;
        *running = Some(Running::start(&self.launch, self.folder.path())?);
        Ok(())
    }

    /// Stops it in its tracks (SIGSTOP): its connections stay open, and nothing answers. Returns when it stands still.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self) -> Result<()> {
        self.with_running(Running::freeze)
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// When it does not run.
    pub fn thaw(&self) -> Result<()> {
        self.with_running(|running| running.signal(Signal::CONT))
    }

    /// Ends it at once (SIGKILL) and waits until it is gone; nothing happens if it is gone already.
    ///
    /// # Errors
    /// None today; a `Result` as the other calls.
    pub fn kill(&self) -> Result<()> {
        *self.lock() = None;
        Ok(())
    }

    /// Asks it to leave (SIGTERM) and waits until it is gone.
    ///
    /// # Errors
    /// When it does not run, or has to be killed after half a minute.
    pub fn terminate(&self) -> Result<()> {
        let mut running = self.lock();
        let Some(mut process) = running.take() else {
            bail!("{} does not run", self.launch.name);
        };
        process
            .terminate()
            .with_context(|| self.launch.name.clone())
    }

    /// Does it still run? A frozen one does.
    pub fn is_running(&self) -> bool {
        self.lock().as_mut().is_some_and(Running::is_running)
    }

    /// The system's number of the process, if it runs.
    pub fn id(&self) -> Option<u32> {
        self.lock().as_ref().map(Running::id)
    }

    /// The end of what this run of it has said; empty after it was ended.
    pub fn log(&self) -> String {
        self.lock().as_ref().map(Running::log).unwrap_or_default()
    }

    /// Where its data and its log file `log` lie.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn with_running(&self, call: impl FnOnce(&mut Running) -> Result<()>) -> Result<()> {
        let name = &self.launch.name;
        match self.lock().as_mut() {
            Some(running) => call(running).with_context(|| name.clone()),
            None => bail!("{name} does not run"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        *self.lock() = None;
        for file in &self.launch.leaves {
            // It is there only if the process was killed.
            let _ = fs::remove_file(file);
        }
    }
}
