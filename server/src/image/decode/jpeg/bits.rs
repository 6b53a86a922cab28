//! Reads a JPEG as markers, segments, and bits of coded data.

use std::io::{self, BufRead};

/// Used in place of a marker at the end of the file.
const END_OF_IMAGE: u8 = 0xd9;

/// Reads coded data up to the next marker. Behind that it returns zeros, and records that bits were missing.
pub(super) struct BitReader<R> {
    reader: R,
    buffer: u64,
    /// Bits in the buffer, at its upper end.
    count: u32,
    /// The marker that was found and not taken yet.
    marker: Option<u8>,
    is_short: bool,
}

impl<R: BufRead> BitReader<R> {
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: 0,
            count: 0,
            marker: None,
            is_short: false,
        }
    }

    /// Returns whether bits were missing since the last [`BitReader::restart`].
    pub fn is_short(&self) -> bool {
        self.is_short
    }

    /// Discards the unused bits at the end of coded data.
    pub fn restart(&mut self) {
        self.buffer = 0;
        self.count = 0;
        self.is_short = false;
    }

    /// Skips to the next marker and takes it.
    pub fn next_marker(&mut self) -> u8 {
        self.restart();
        loop {
            if let Some(marker) = self.marker.take() {
                return marker;
            }
            self.byte();
        }
    }

    /// Continues behind the restart marker of this number (0 to 7), or as browsers do if there is another marker: one
    /// that is due soon, or that ends the scan, is kept for later, and the data before it count as missing.
    pub fn pass_restart(&mut self, number: u8) {
        let mut marker = self.next_marker();
        loop {
            let ahead = (marker.wrapping_sub(0xd0 + number)) % 8;
            match marker {
                0xc0..0xd0 | 0xd8.. => break,
                0xd0..0xd8 if matches!(ahead, 1 | 2) => break,
                0xd0..0xd8 if !matches!(ahead, 6 | 7) => return,
                _ => marker = self.next_marker(),
            }
        }
        self.marker = Some(marker);
        self.is_short = true;
    }

    /// Reads the content of a segment whose marker was taken.
    pub fn segment(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        self.reader.read_exact(&mut length)?;
        let length = usize::from(u16::from_be_bytes(length));
        let mut content = vec![0; length.checked_sub(2).ok_or_else(ended)?];
        self.reader.read_exact(&mut content)?;
        Ok(content)
    }

    /// Returns the next 16 bits without using them.
    #[inline]
    pub fn peek(&mut self) -> u16 {
        if self.count < 16 {
            self.fill();
        }
        u16::try_from(self.buffer >> 48).unwrap_or(u16::MAX)
    }

    /// Uses up to 17 bits.
    #[inline]
    pub fn skip(&mut self, count: u32) {
        if self.count < count {
            self.fill();
        }
        self.is_short |= self.count < count;
        self.count = self.count.saturating_sub(count);
        self.buffer <<= count;
    }

    /// Returns and uses up to 16 bits.
    #[inline]
    pub fn take(&mut self, count: u32) -> u32 {
        let bits = (u32::from(self.peek()) << count) >> 16;
        self.skip(count);
        bits
    }

    fn fill(&mut self) {
        while self.count <= 56 {
            let Some(byte) = self.byte() else { return };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// Returns a byte of coded data; `None` at a marker, which is kept, and at the end of the file.
    #[inline]
    fn byte(&mut self) -> Option<u8> {
        if self.marker.is_some() {
            return None;
        }
        match self.raw() {
            Some(0xff) => self.behind_ff(),
            Some(byte) => Some(byte),
            None => self.end(),
        }
    }

    fn behind_ff(&mut self) -> Option<u8> {
        loop {
            match self.raw() {
                Some(0xff) => {}
                Some(0) => return Some(0xff),
                Some(marker) => {
                    self.marker = Some(marker);
                    return None;
                }
                None => return self.end(),
            }
        }
    }

    fn end(&mut self) -> Option<u8> {
        self.marker = Some(END_OF_IMAGE);
        None
    }

    /// A read error is treated as the end of the file; the caller checks the time budget for the reason.
    #[inline]
    fn raw(&mut self) -> Option<u8> {
        let byte = *self.reader.fill_buf().ok()?.first()?;
        self.reader.consume(1);
        Some(byte)
    }
}

/// An unexpected end of the file. Cannot happen, since the container was walked.
fn ended() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}
