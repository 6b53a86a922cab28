//! The limits that a child sets itself before it reads anything of a file. The kernel keeps them.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rlimit::{Resource, getrlimit, setrlimit};

use crate::image::limits::{MIB, PICTURE_MEMORY};

/// Bytes of memory that a child may take beside what the picture's headers ask for: the file's walk, its plan, buffers,
/// and what the allocator adds. 6 MiB were seen.
pub(in crate::image) const CHILD_MEMORY: u64 = 24 * MIB;

/// Files open at once: the two of the job, further views of them, and the three streams.
const OPEN_FILES: u64 = 64;

/// Bytes that the output may have beyond those of the input, for what is coded anew.
const OUTPUT_GROWTH: u64 = 64 * MIB;

/// Processor time beyond what decoding may take, for everything else and for a decoder's last step.
const CPU_MARGIN: Duration = Duration::from_secs(5);

/// How far others go before this process where processors are short: requests and sockets are not to wait for pictures.
const NICENESS: i32 = 5;

/// How much memory this process may take.
#[derive(Debug)]
pub(super) struct MemoryLimit {
    /// Bytes of address space that the program has by itself, most of which it shares with the node; none where the
    /// system does not tell, where there is no limit.
    program: Option<u64>,
}

impl MemoryLimit {
    /// Allows what a walk needs.
    pub fn set() -> io::Result<Self> {
        let program = address_space();
        if let Some(program) = program {
            let walk = program + CHILD_MEMORY;
            lower(Resource::AS, walk, walk + PICTURE_MEMORY)?;
        }
        Ok(Self { program })
    }

    /// Allows these bytes for a decoder too. It is for one picture: the limit can be raised once.
    pub fn allow(self, decoder: u64) -> io::Result<()> {
        match self.program {
            Some(program) => {
                let all = program + CHILD_MEMORY + decoder.min(PICTURE_MEMORY);
                lower(Resource::AS, all, all)
            }
            None => Ok(()),
        }
    }
}

/// Sets everything but memory.
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
        lower(resource, most, most)?;
    }
    Ok(())
}

/// Sets a limit, but never above what whoever started the node allows.
fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let (_, allowed) = getrlimit(resource)?;
    setrlimit(resource, soft.min(allowed), hard.min(allowed))
}

/// Bytes of this process' address space (proc(5), `VmSize`).
fn address_space() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
