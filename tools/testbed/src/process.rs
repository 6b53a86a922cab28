//! A server's process, in a folder of its own.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use nix::{
    sys::{
        signal::{self, Signal},
        wait::{Id, WaitPidFlag, waitid},
    },
    time::ClockId,
    unistd::Pid,
};
use tempfile::TempDir;

const READY_TIMEOUT: Duration = Duration::from_mins(1);
const TERMINATE_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How many bytes of the log's end are shown in errors.
const LOG_TAIL: u64 = 64 * 1024;

/// How to start a server. It sees no variables of this process' environment.
#[must_use = "it is started by `start`"]
pub struct Launch {
    name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    leftovers: Vec<PathBuf>,
    is_ready: Box<dyn Fn(&Process) -> bool + Send + Sync>,
    folder: TempDir,
}

impl Launch {
    /// A program with an empty folder of its own; errors call it by `name`.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tonesa-testbed-").tempdir();
        Ok(Self {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            leftovers: Vec::new(),
            is_ready: Box::new(|_| true),
            folder: folder.context("making a folder for a server")?,
        })
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item: Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment; the last value counts.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Names files outside its folder that it does not remove when it is killed.
    pub fn leftovers(mut self, files: Vec<PathBuf>) -> Self {
        self.leftovers = files;
        self
    }

    /// Sets the condition on which the server counts as started.
    pub fn ready_when(
        mut self,
        is_ready: impl Fn(&Process) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.is_ready = Box::new(is_ready);
        self
    }

    /// The server's current directory.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the server and waits until it is ready, for a minute at most.
    pub fn start(self) -> Result<Process> {
        let process = Process {
            launch: self,
            running: Mutex::new(None),
        };
        process.restart()?;
        Ok(process)
    }
}

/// A process, which can be frozen, ended and started again.
pub struct Process {
    launch: Launch,
    running: Mutex<Option<Running>>,
}

impl Process {
    /// Starts the program again with the same arguments, in the same folder and at the same port, after killing it if
    /// it still runs, and waits until it is ready.
    pub fn restart(&self) -> Result<()> {
        let mut running = self.lock();
        *running = None;
        *running = Some(Running::start(&self.launch)?);
        drop(running);
        let mut is_ready = false;
        let has_ended = || !self.is_running();
        poll(READY_TIMEOUT, || {
            is_ready = (self.launch.is_ready)(self);
            is_ready || has_ended()
        });
        let (name, log) = (&self.launch.name, self.log());
        ensure!(
            is_ready || !has_ended(),
            "{name} ended while it was being started:\n{log}"
        );
        ensure!(is_ready, "{name} does not answer:\n{log}");
        Ok(())
    }

    /// Stops it by SIGSTOP: its connections stay open, and nothing answers.
    pub fn freeze(&self) -> Result<()> {
        let pid = self.signal(Signal::SIGSTOP)?;
        // The signal may still be on its way. The end of the process counts too, or this would wait for ever.
        let stopped = WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        waitid(Id::Pid(pid), stopped)?;
        Ok(())
    }

    /// Continues it by SIGCONT.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)?;
        Ok(())
    }

    /// Ends it by SIGKILL and waits until it has ended; nothing happens if it has ended already.
    pub fn kill(&self) -> Result<()> {
        *self.lock() = None;
        Ok(())
    }

    /// Ends it by SIGTERM and waits until it has ended; after half a minute it is killed, and this fails.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::SIGTERM)?;
        let has_ended = poll(TERMINATE_TIMEOUT, || !self.is_running());
        let log = self.log();
        self.kill()?;
        ensure!(
            has_ended,
            "{} does not end by SIGTERM:\n{log}",
            self.launch.name
        );
        Ok(())
    }

    /// Whether it runs; a frozen one does.
    pub fn is_running(&self) -> bool {
        let mut running = self.lock();
        running.as_mut().is_some_and(Running::is_running)
    }

    /// The process' id. An error if it has ended or was never started.
    pub fn id(&self) -> Result<Pid> {
        let name = &self.launch.name;
        let id = self.lock().as_ref().map(|running| running.child.id());
        let id = id.with_context(|| format!("{name} does not run"))?;
        ensure!(self.is_running(), "{name} has ended:\n{}", self.log());
        Ok(Pid::from_raw(i32::try_from(id)?))
    }

    /// The processor time that all its threads have used, ended ones too.
    pub fn processor_time(&self) -> Result<Duration> {
        Ok(ClockId::pid_cpu_clock_id(self.id()?)?.now()?.into())
    }

    /// The process' resident memory, in KiB.
    pub fn resident_memory(&self) -> Result<u64> {
        let memory = self.status("VmRSS:")?;
        let kibibytes = memory.strip_suffix(" kB");
        Ok(kibibytes.context("memory is not in kB")?.parse()?)
    }

    /// The number of the process' threads.
    pub fn threads(&self) -> Result<u64> {
        Ok(self.status("Threads:")?.parse()?)
    }

    /// How many files, connections and the like the process has open.
    pub fn open_descriptors(&self) -> Result<usize> {
        let path = format!("/proc/{}/fd", self.id()?);
        let descriptors = fs::read_dir(&path).with_context(|| format!("reading {path}"))?;
        Ok(descriptors.count())
    }

    /// What the kernel says of the process under this name.
    fn status(&self, name: &str) -> Result<String> {
        let path = format!("/proc/{}/status", self.id()?);
        let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        let value = status.lines().find_map(|line| line.strip_prefix(name));
        let value = value.with_context(|| format!("{path} has no {name}"))?;
        Ok(value.trim().to_owned())
    }

    /// The end of what it has logged since its last start; empty after it was killed.
    pub fn log(&self) -> String {
        let running = self.lock();
        let tail = running
            .as_ref()
            .map(|running| running.log_tail(self.path()));
        tail.map_or_else(String::new, |tail| {
            tail.unwrap_or_else(|error| format!("its log cannot be read: {error}"))
        })
    }

    /// The process' current directory, where its log file `log` is.
    pub fn path(&self) -> &Path {
        self.launch.folder()
    }

    fn signal(&self, signal: Signal) -> Result<Pid> {
        let pid = self.id()?;
        signal::kill(pid, signal).with_context(|| format!("signalling {}", self.launch.name))?;
        Ok(pid)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        *self.lock() = None;
        for file in &self.launch.leftovers {
            // It is there only if the process was killed.
            let _ = fs::remove_file(file);
        }
    }
}

/// Waits until the condition holds. Returns whether it did within the timeout.
pub(crate) fn poll(timeout: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if start.elapsed() > timeout {
            return false;
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// One run of a program.
struct Running {
    child: Child,
    /// How long the log was when it was started.
    log_start: u64,
    /// A script that kills the process and removes its files when its own standard input closes: the kernel closes it
    /// when this process dies, in whatever way.
    kill_with_parent: Child,
}

impl Running {
    fn start(launch: &Launch) -> Result<Self> {
        let path = launch.folder().join("log");
        let log = OpenOptions::new().create(true).append(true).open(&path);
        let log = log.with_context(|| format!("opening {}", path.display()))?;
        let log_start = log.metadata()?.len();
        let mut child = Command::new(&launch.program)
            .args(&launch.arguments)
            .current_dir(launch.folder())
            .env_clear()
            .envs(launch.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", launch.program.display()))?;
        let script = Command::new("sh")
            .args([
                "-c",
                include_str!("../kill-with-parent.sh"),
                "kill-with-parent",
            ])
            .args([&child.id().to_string(), "0"])
            .args(&launch.leftovers)
            .arg(launch.folder())
            .stdin(Stdio::piped())
            // Whoever reads our output to its end should not have to wait for this script.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting the script that kills a server with its parent");
        match script {
            Ok(kill_with_parent) => Ok(Self {
                child,
                log_start,
                kill_with_parent,
            }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn log_tail(&self, folder: &Path) -> Result<String> {
        let mut log = File::open(folder.join("log"))?;
        let length = log.metadata()?.len();
        log.seek(SeekFrom::Start(
            self.log_start.max(length.saturating_sub(LOG_TAIL)),
        ))?;
        let mut tail = Vec::new();
        log.read_to_end(&mut tail)?;
        Ok(String::from_utf8_lossy(&tail).into_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The script is killed last and before its input closes, so that it does not signal a process id that may be
        // another process' by then. A kill fails only for a process that has ended.
        for process in [&mut self.child, &mut self.kill_with_parent] {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
