//! What a process has used, from Linux' /proc.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The processor time of each thread, which is exact; the process' own sum counts hundredths of a second.
#[derive(Debug)]
pub struct ProcessorTime(HashMap<String, Duration>);

impl ProcessorTime {
    pub fn of(process: u32) -> Result<Self> {
        let path = format!("/proc/{process}/task");
        let mut times = HashMap::new();
        for thread in fs::read_dir(&path).with_context(|| format!("reading {path}"))? {
            let thread = thread?;
            // A thread may have ended meanwhile.
            if let Ok(statistics) = fs::read_to_string(thread.path().join("schedstat")) {
                let (nanos, _) = statistics.split_once(' ').context("a strange /proc")?;
                let name = thread.file_name().to_string_lossy().into_owned();
                times.insert(name, Duration::from_nanos(nanos.parse()?));
            }
        }
        Ok(Self(times))
    }

    /// What has been used since an earlier time, without threads that have ended meanwhile.
    pub fn since(&self, earlier: &Self) -> Duration {
        let used = self.0.iter().map(|(thread, time)| {
            let before = earlier.0.get(thread).copied().unwrap_or_default();
            time.saturating_sub(before)
        });
        used.sum()
    }
}

/// Resident memory of a process, in KiB.
pub fn resident(process: u32) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kibibytes.context("a strange /proc")?.trim().parse()?)
}
