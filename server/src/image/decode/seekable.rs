//! A buffered reader with cheap short seeks: `BufReader` drops its buffer with every seek.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use super::timed::{TimeBudget, Timed};

/// A buffered reader that knows its position, and fails when the time is over.
#[derive(Debug)]
pub(in crate::image) struct Seekable<R> {
    reader: BufReader<Timed<R>>,
    position: u64,
}

impl<R: Read + Seek> Seekable<R> {
    /// Makes a reader of `inner`, which must be at its beginning.
    pub fn new(inner: R, budget: TimeBudget) -> Self {
        Self {
            reader: BufReader::with_capacity(64 * 1024, Timed::new(inner, budget)),
            position: 0,
        }
    }
}

impl<R: Read> Read for Seekable<R> {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl<R: Read> BufRead for Seekable<R> {
    #[inline]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    #[inline]
    fn consume(&mut self, count: usize) {
        self.position += count as u64;
        self.reader.consume(count);
    }
}

impl<R: Read + Seek> Seek for Seekable<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let by = match to {
            SeekFrom::Current(by) => Some(by),
            SeekFrom::Start(start) => {
                let by = i128::from(start) - i128::from(self.position);
                i64::try_from(by).ok()
            }
            SeekFrom::End(_) => {
                self.position = self.reader.seek(to)?;
                return Ok(self.position);
            }
        };
        let target = by.and_then(|by| self.position.checked_add_signed(by));
        let (Some(by), Some(target)) = (by, target) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        self.reader.seek_relative(by)?;
        self.position = target;
        Ok(target)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        Ok(self.position)
    }
}
