//! Reads a JPEG as markers, segments, and bits of coded data.

use std::io::{self, BufRead};

/// Used in place of a marker at the end of the file.
const END_OF_IMAGE: u8 = 0xd9;

/// Reads coded data up to the next marker. After it this returns zeros, and records that bits were missing.
pub(super) struct BitReader<R> {
    reader: R,
    buffer: u64,
    /// Bits in the buffer, at its upper end.
    count: u32,
    /// The marker that was found and not taken yet.
    marker: Option<u8>,
    ran_out: bool,
}

impl<R: BufRead> BitReader<R> {
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: 0,
            count: 0,
            marker: None,
            ran_out: false,
        }
    }

    /// Returns whether bits were missing since the last [`BitReader::restart`].
    pub fn ran_out(&self) -> bool {
        self.ran_out
    }

    /// Discards the unused bits at the end of coded data.
    pub fn restart(&mut self) {
        self.buffer = 0;
        self.count = 0;
        self.ran_out = false;
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

    /// Continues after the restart marker of this number (0 to 7). Other markers are handled as browsers do:
    /// - one of the two previous restarts, and a marker that means nothing here, are skipped;
    /// - one of the two next restarts, and one that ends the scan, are kept for later, and the data before them count
    ///   as missing;
    /// - any other restart is taken for the expected one.
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
        self.ran_out = true;
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
        self.ran_out |= self.count < count;
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
        match self.raw_byte() {
            Some(0xff) => self.after_ff(),
            Some(byte) => Some(byte),
            None => self.end(),
        }
    }

    fn after_ff(&mut self) -> Option<u8> {
        loop {
            match self.raw_byte() {
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
    fn raw_byte(&mut self) -> Option<u8> {
        let byte = *self.reader.fill_buf().ok()?.first()?;
        self.reader.consume(1);
        Some(byte)
    }
}

/// An unexpected end of the file. Cannot happen, since the container was walked.
fn ended() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}
