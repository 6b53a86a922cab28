//! The time limit of decoding an image.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use crate::image::error::ImageError;
use crate::image::limits::too_much_time;

/// The time by which an image must be decoded.
#[derive(Debug, Clone, Copy)]
pub(in crate::image) struct TimeBudget(Option<Instant>);

impl TimeBudget {
    /// Starts now. A limit that is beyond what the clock can represent is none.
    pub fn start(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// Fails when the time is over.
    pub fn check(self) -> Result<(), ImageError> {
        if self.0.is_some_and(|end| Instant::now() >= end) {
            return Err(too_much_time());
        }
        Ok(())
    }
}

/// A reader that fails when the time is over. It is called for each buffer; what decoders do in between is short,
/// except for the pixels of one WebP image (about 2 s for the largest).
#[derive(Debug)]
pub(in crate::image) struct Timed<R> {
    inner: R,
    budget: TimeBudget,
}

impl<R> Timed<R> {
    pub fn new(inner: R, budget: TimeBudget) -> Self {
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
