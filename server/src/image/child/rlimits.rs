//! Resource limits that the child sets itself before it reads anything of a file. The kernel enforces them.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rlimit::{Resource, getrlimit, setrlimit};

use crate::image::limits::{IMAGE_MEMORY, MIB};

/// How much memory a child may use in addition to what the image's headers require, in bytes: for the container's walk,
/// the plan, buffers, and the allocator. 6 MiB have been measured.
pub(in crate::image) const CHILD_MEMORY: u64 = 24 * MIB;

/// The most open files: input and output with duplicates, and the three standard streams.
const OPEN_FILES: u64 = 64;

/// How much longer than the input the output may be, in bytes, where data are compressed again.
const OUTPUT_GROWTH: u64 = 64 * MIB;

/// Processor time in addition to the limit of decoding, for everything else and a decoder's last step.
const CPU_MARGIN: Duration = Duration::from_secs(5);

/// The child's niceness: when processors are short, requests and sockets go first.
const NICENESS: i32 = 5;

/// The limit of this process's memory.
#[derive(Debug)]
pub(super) struct MemoryLimit {
    /// The address space of the program itself in bytes, most of which is shared with the node. `None` where the system
    /// does not report it; then there is no limit.
    program: Option<u64>,
}

impl MemoryLimit {
    /// Sets the limit for the container's walk.
    pub fn set() -> io::Result<Self> {
        let program = address_space();
        if let Some(program) = program {
            let walk = program + CHILD_MEMORY;
            set_capped(Resource::AS, walk, walk + IMAGE_MEMORY)?;
        }
        Ok(Self { program })
    }

    /// Raises the limit by the decoder's memory. Can be done once only, for one image.
    pub fn allow(self, decoder: u64) -> io::Result<()> {
        match self.program {
            Some(program) => {
                let all = program + CHILD_MEMORY + decoder.min(IMAGE_MEMORY);
                set_capped(Resource::AS, all, all)
            }
            None => Ok(()),
        }
    }
}

/// Sets all limits other than memory.
pub(super) fn set(input: &Path, time: Duration) -> io::Result<()> {
    rustix::process::nice(NICENESS)?;
    let seconds = time.saturating_add(CPU_MARGIN).as_secs();
    let output = fs::metadata(input)?.len() + OUTPUT_GROWTH;
    for (resource, most) in [
        (Resource::CORE, 0),
        (Resource::NOFILE, OPEN_FILES),
        (Resource::CPU, seconds),
        (Resource::FSIZE, output),
    ] {
        set_capped(resource, most, most)?;
    }
    Ok(())
}

/// Sets a limit, but never above the one that this process was started with.
fn set_capped(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let (_, allowed) = getrlimit(resource)?;
    setrlimit(resource, soft.min(allowed), hard.min(allowed))
}

/// Returns the size of this process's address space in bytes (proc(5), `VmSize`).
fn address_space() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
