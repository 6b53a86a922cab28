//! What a process has used, told by Linux in /proc.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The kernel tells processor time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// User and system time of the process so far, all its threads together.
///
/// # Errors
/// When there is no such process.
pub fn processor_time(process: u32) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    // The second field is the program's name in brackets, and may hold spaces.
    let (_, fields) = stat.rsplit_once(") ").context("a strange /proc")?;
    let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u32>);
    let ticks = ticks.sum::<Result<u32, _>>().context("a strange /proc")?;
    Ok(TICK * ticks)
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
