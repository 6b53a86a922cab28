//! A reader that fails once the process has grown by more than any picture may make it grow.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};

use crate::image::limits::MIB;
use crate::image::pool::POOL_MEMORY;

/// What the process may grow by while one picture is decoded: all decoders together, and some for everything else.
const GROWTH: u64 = POOL_MEMORY + 128 * MIB;

/// A reader for decoders whose memory does not follow from the picture's headers: a hostile WebP of 4 MB can make its
/// decoder build code tables of more than 1 GB. They are read bit by bit, so that looking at each refill of a buffer
/// stops them in time. Where the system does not tell a process its size, nothing is stopped.
#[derive(Debug)]
pub(super) struct Watched<R> {
    inner: R,
    ceiling: Option<u64>,
}

impl<R> Watched<R> {
    /// Watches from now on.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            ceiling: resident().map(|bytes| bytes + GROWTH),
        }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let (Some(ceiling), Some(bytes)) = (self.ceiling, resident())
            && bytes > ceiling
        {
            return Err(io::ErrorKind::OutOfMemory.into());
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
