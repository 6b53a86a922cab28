//! Reads an image's file forwards, for walking its container.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use app::model::MediaType;

use super::error::ImageError;

/// A file, and the position in it.
#[derive(Debug)]
pub(super) struct Source {
    reader: BufReader<File>,
    position: u64,
    len: u64,
    media_type: MediaType,
}

impl Source {
    /// Starts at the file's first byte. `media_type` is for errors.
    pub fn new(mut file: File, media_type: MediaType) -> io::Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok(Self {
            reader: BufReader::with_capacity(64 * 1024, file),
            position: 0,
            len,
            media_type,
        })
    }

    /// Returns how many bytes were read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns how many bytes are left.
    pub fn left(&self) -> u64 {
        self.len - self.position
    }

    /// Returns the error for a file that is invalid in its format.
    pub fn damaged(&self) -> ImageError {
        ImageError::Damaged(self.media_type)
    }

    /// Reads `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ImageError> {
        let mut bytes = [0; N];
        self.reader
            .read_exact(&mut bytes)
            .map_err(|e| self.fault(&e))?;
        self.position += N as u64;
        Ok(bytes)
    }

    pub fn byte(&mut self) -> Result<u8, ImageError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Reads `count` bytes. The caller has limited `count`.
    pub fn bytes(&mut self, count: u64) -> Result<Vec<u8>, ImageError> {
        if count > self.left() {
            return Err(self.damaged());
        }
        let mut bytes = vec![0; usize::try_from(count).map_err(|_| self.damaged())?];
        self.reader
            .read_exact(&mut bytes)
            .map_err(|e| self.fault(&e))?;
        self.position += count;
        Ok(bytes)
    }

    /// Skips `count` bytes.
    pub fn skip(&mut self, count: u64) -> Result<(), ImageError> {
        if count > self.left() {
            return Err(self.damaged());
        }
        let by = i64::try_from(count).map_err(|_| self.damaged())?;
        self.reader.seek_relative(by).map_err(|e| self.fault(&e))?;
        self.position += count;
        Ok(())
    }

    /// Skips everything up to and including the next `wanted` byte.
    pub fn skip_past(&mut self, wanted: u8) -> Result<(), ImageError> {
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok([]) => return Err(self.damaged()),
                Ok(buffer) => buffer,
                Err(error) => return Err(self.fault(&error)),
            };
            let found = memchr::memchr(wanted, buffer);
            let count = found.map_or(buffer.len(), |index| index + 1);
            self.reader.consume(count);
            self.position += count as u64;
            if found.is_some() {
                return Ok(());
            }
        }
    }

    fn fault(&self, error: &io::Error) -> ImageError {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return self.damaged();
        }
        tracing::warn!(%error, "an uploaded image could not be read");
        ImageError::Unavailable
    }
}
