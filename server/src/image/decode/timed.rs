//! How long the decoding of a picture may take.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use crate::image::error::ImageError;
use crate::image::limits::too_much_time;

/// The moment by which a picture must be decoded.
#[derive(Debug, Clone, Copy)]
pub(in crate::image) struct Budget(Option<Instant>);

impl Budget {
    /// Counts from now on. A time beyond what a clock can tell is no limit.
    pub fn start(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// Refuses the picture once its time is over.
    pub fn check(self) -> Result<(), ImageError> {
        if self.0.is_some_and(|end| Instant::now() >= end) {
            return Err(too_much_time());
        }
        Ok(())
    }
}

/// A reader that fails once the time is over. It is read in steps of a buffer's size: what decoders do between two of
/// them is short, save for the pixels of one WebP image (about 2 s for the largest).
#[derive(Debug)]
pub(in crate::image) struct Timed<R> {
    inner: R,
    budget: Budget,
}

impl<R> Timed<R> {
    /// Reads from where `inner` stands.
    pub fn new(inner: R, budget: Budget) -> Self {
        Self { inner, budget }
    }
}

impl<R: Read> Read for Timed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.budget.check().map_err(|_| io::ErrorKind::TimedOut)?;
        self.inner.read(buffer)
    }
}

impl<R: Seek> Seek for Timed<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
