//! One run of a program.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::{Launch, leash::Leash};
use crate::log::Log;

/// Longer than any server here takes to leave.
const LEAVES_WITHIN: Duration = Duration::from_secs(30);

pub(super) struct Running {
    child: Child,
    log: Log,
    _leash: Leash,
}

impl Running {
    pub(super) fn start(launch: &Launch, folder: &Path) -> Result<Self> {
        let log = Log::append_to(&folder.join("log"))?;
        let mut child = Command::new(&launch.program)
            .args(&launch.arguments)
            .current_dir(folder)
            .env_clear()
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", launch.program.display()))?;
        let mut left = launch.leaves.clone();
        left.push(folder.to_path_buf());
        let leash = match Leash::hold(child.id(), &left) {
            Ok(leash) => leash,
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
        };
        if let Some(output) = child.stdout.take() {
            log.follow(output);
        }
        if let Some(output) = child.stderr.take() {
            log.follow(output);
        }
        Ok(Self {
            child,
            log,
            _leash: leash,
        })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn log(&self) -> String {
        self.log.tail()
    }

    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(super) fn signal(&mut self, signal: Signal) -> Result<()> {
        if !self.is_running() {
            bail!("it has ended:\n{}", self.log());
        }
        Ok(kill_process(self.pid()?, signal)?)
    }

    /// Returns when it stands still: the signal itself is only on its way when it has been sent.
    pub(super) fn freeze(&mut self) -> Result<()> {
        self.signal(Signal::STOP)?;
        // Its end counts too, or this would wait for ever; left for `is_running` to find.
        let stopped = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(self.pid()?), stopped)?;
        Ok(())
    }

    pub(super) fn terminate(&mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let start = Instant::now();
        while self.is_running() {
            if start.elapsed() > LEAVES_WITHIN {
                bail!("it does not leave when it is asked to:\n{}", self.log());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn pid(&self) -> Result<Pid> {
        let id = i32::try_from(self.child.id())?;
        Pid::from_raw(id).context("a process has the number 0")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it is gone already. The leash is dropped after this, and so finds nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
