//! How the nodes are: whether they run, and how much memory and processor time they use.

use std::fs;

use crate::bed::Bed;
use crate::processor::Load;

/// A node with a few dozen sockets that holds more than this runs away, in MiB. (A debug build takes about 60.)
const MOST: u64 = 400;

/// What a node held, in MiB, and how busy it was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// At most.
    pub most: u64,
    /// At last.
    pub last: u64,
    /// How busy it was.
    pub load: Load,
    /// Whether it was seen to have ended by itself.
    pub has_fallen: bool,
}

impl Memory {
    /// Whether that is more than a node needs.
    pub fn runs_away(self) -> bool {
        self.last > MOST
    }
}

/// Looks at every node; one that is not there keeps its figures. Blocks while a node is being stopped.
pub fn look(bed: &Bed, nodes: &mut [Memory]) {
    for (held, memory) in bed.held().zip(nodes) {
        memory.load.look(held);
        memory.has_fallen |= held.has_fallen();
        if let Some(now) = held.node().process().id().and_then(resident) {
            memory.last = now;
            memory.most = memory.most.max(now);
        }
    }
}

fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024)
}
