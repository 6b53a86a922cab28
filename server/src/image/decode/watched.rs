//! A reader that fails once the process has grown by more than any picture may make it grow.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use crate::image::limits::MIB;
use crate::image::pool::POOL_MEMORY;

/// What the process may grow by while one picture is decoded: all decoders together, and some for everything else.
const GROWTH: u64 = POOL_MEMORY + 128 * MIB;

/// How often the process is looked at. Code tables are built at a few MiB in that time.
const INTERVAL: Duration = Duration::from_millis(2);

/// How large the process may become until the picture is decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ceiling(Option<u64>);

impl Ceiling {
    /// The growth counts from now on.
    pub fn set() -> Self {
        Self(resident().map(|bytes| bytes + GROWTH))
    }

    fn is_exceeded(self) -> bool {
        self.0
            .is_some_and(|ceiling| resident().is_some_and(|bytes| bytes > ceiling))
    }
}

/// A reader for decoders whose memory does not follow from the picture's headers: a hostile WebP of 4 MB can make its
/// decoder build code tables of more than 1 GB. They are read bit by bit, so that looking at each refill of a buffer
/// stops them in time. Where the system does not tell a process its size, nothing is stopped.
///
/// What is measured is the whole process, since nothing tells what a single thread has allocated: if something else
/// grows by so much meanwhile, an honest WebP is refused, and two bombs at once are stopped by what both have taken.
#[derive(Debug)]
pub(super) struct Watched<R> {
    inner: R,
    ceiling: Ceiling,
    looked: Instant,
}

impl<R> Watched<R> {
    /// Watches from now on.
    pub fn new(inner: R, ceiling: Ceiling) -> Self {
        Self {
            inner,
            ceiling,
            looked: Instant::now(),
        }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.looked.elapsed() >= INTERVAL {
            if self.ceiling.is_exceeded() {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            self.looked = Instant::now();
        }
        self.inner.read(buffer)
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// Bytes of this process' own memory (proc(5), `RssAnon`).
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
