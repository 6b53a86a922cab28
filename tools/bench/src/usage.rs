//! What a process has used, told by Linux in /proc.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// What each thread of a process has used so far. The process' own sum is told in hundredths of a second only.
#[derive(Debug)]
pub struct ProcessorTime(HashMap<String, Duration>);

impl ProcessorTime {
    /// Asks for it.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn of(process: u32) -> Result<Self> {
        let path = format!("/proc/{process}/task");
        let threads = fs::read_dir(&path).with_context(|| format!("reading {path}"))?;
        let mut times = HashMap::new();
        for thread in threads {
            let thread = thread?;
            // One that has ended meanwhile tells nothing any more.
            if let Ok(told) = fs::read_to_string(thread.path().join("schedstat")) {
                let (nanos, _) = told.split_once(' ').context("a strange /proc")?;
                let name = thread.file_name().to_string_lossy().into_owned();
                times.insert(name, Duration::from_nanos(nanos.parse()?));
            }
        }
        Ok(Self(times))
    }

    /// What has been used since an earlier time, but for what threads used that have ended meanwhile.
    pub fn since(&self, earlier: &Self) -> Duration {
        let used = self.0.iter().map(|(thread, time)| {
            let before = earlier.0.get(thread).copied().unwrap_or_default();
            time.saturating_sub(before)
        });
        used.sum()
    }
}

/// Resident memory of the process, in bytes.
///
/// # Errors
/// When there is no such process.
pub fn resident(process: u32) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: u64 = kibibytes.context("a strange /proc")?.trim().parse()?;
    Ok(kibibytes * 1024)
}
