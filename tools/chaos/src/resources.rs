//! Memory and processor time of the nodes, from `/proc`.

use std::time::{Duration, Instant};
use std::{fmt, fs};

use crate::managed_node::ManagedNode;

/// A node with a few dozen sockets that holds more leaks memory. (A debug build takes about 60.)
const MAX_MEMORY_MIB: u64 = 400;
/// Over which time processor use is averaged, at least: a busy moment is no fault.
const WINDOW: Duration = Duration::from_secs(4);
/// A node with a few dozen sockets that uses more for so long is in a busy loop. (A debug build takes about 10.)
const MAX_PERCENT: u64 = 75;
/// The unit of processor time in `/proc` on Linux.
const TICKS_PER_SECOND: u64 = 100;

/// The processor time that a node had used at some moment.
#[derive(Debug, Clone, Copy)]
pub struct ProcessorTime {
    at: Instant,
    fault_free_epoch: u64,
    ticks: u64,
}

impl ProcessorTime {
    /// `None` during a fault of the node.
    pub fn now(node: &ManagedNode) -> Option<Self> {
        let fault_free_epoch = node.fault_free_epoch()?;
        let process = node.process().id()?;
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        Some(Self {
            at: Instant::now(),
            fault_free_epoch,
            ticks: ticks(&stat)?,
        })
    }

    /// Processor use since an earlier moment; `None` when there was a fault in between.
    pub fn percent_since(self, earlier: Self) -> Option<u64> {
        let millis = u64::try_from((self.at - earlier.at).as_millis()).ok()?;
        let ticks = self.ticks.checked_sub(earlier.ticks)?;
        let is_same_run = self.fault_free_epoch == earlier.fault_free_epoch;
        (is_same_run && millis > 0).then(|| 100 * 1_000 * ticks / (TICKS_PER_SECOND * millis))
    }
}

/// What a node used during the run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    last_mib: u64,
    peak_mib: u64,
    /// The highest processor use over [`WINDOW`].
    peak_percent: u64,
    has_crashed: bool,
    since: Option<ProcessorTime>,
}

impl Usage {
    /// Samples the node; one that does not run keeps its figures. Blocks while the node is being stopped.
    pub fn sample(&mut self, node: &ManagedNode) {
        self.has_crashed |= node.has_crashed();
        if let Some(now) = node.process().id().and_then(resident_mib) {
            self.last_mib = now;
            self.peak_mib = now.max(self.peak_mib);
        }
        let now = ProcessorTime::now(node);
        let since_before = now.zip(self.since).and_then(|(now, since)| {
            let percent = now.percent_since(since)?;
            Some((now.at - since.at >= WINDOW, percent))
        });
        match since_before {
            Some((false, _)) => {}
            Some((true, percent)) => {
                self.peak_percent = percent.max(self.peak_percent);
                self.since = now;
            }
            None => self.since = now,
        }
    }

    /// Reports what is more than a node needs.
    pub fn check(&self, node: &ManagedNode) {
        if self.has_crashed {
            node.violation("it ended by itself");
        }
        if self.last_mib > MAX_MEMORY_MIB {
            node.violation(&format!("it holds {} MiB", self.last_mib));
        }
        if self.peak_percent > MAX_PERCENT {
            let percent = self.peak_percent;
            node.violation(&format!("it used {percent} % of a processor for seconds"));
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (last, peak, percent) = (self.last_mib, self.peak_mib, self.peak_percent);
        write!(
            out,
            "{last} MiB at last, {peak} at most, {percent} % of a processor at most"
        )
    }
}

fn resident_mib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let mut lines = status.lines();
    let value = lines.find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024)
}

/// In user mode and in the kernel: the 14th and the 15th field. The second, a name in brackets, may hold spaces.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_whatever_the_process_is_called() {
        let stat = "77 (a ) name) S 1 77 77 0 -1 4194560 900 0 5 0 120 34 0 0 20 0 9 0";
        assert_eq!(ticks(stat), Some(154));
        assert_eq!(ticks("77 (name) S 1"), None);
    }

    #[test]
    fn only_processor_time_between_faults_counts() {
        let at = Instant::now();
        let used = |seconds, fault_free_epoch, ticks| ProcessorTime {
            at: at + Duration::from_secs(seconds),
            fault_free_epoch,
            ticks,
        };
        assert_eq!(used(4, 2, 300).percent_since(used(0, 2, 100)), Some(50));
        assert_eq!(used(4, 4, 300).percent_since(used(0, 2, 100)), None);
        assert_eq!(used(0, 2, 300).percent_since(used(0, 2, 100)), None);
    }
}
