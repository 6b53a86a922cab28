//! A JPEG's bytes as markers, segments, and coded data bit by bit.

use std::io::{self, BufRead};

/// What stands for a marker where the file ends.
const END_OF_IMAGE: u8 = 0xd9;

/// Reads coded data up to the next marker. Behind that there are zeros, and it is noted that they were needed.
pub(super) struct Bits<R> {
    reader: R,
    buffer: u64,
    /// Bits in the buffer, at its upper end.
    count: u32,
    /// The marker that was met and not taken yet.
    marker: Option<u8>,
    is_short: bool,
}

impl<R: BufRead> Bits<R> {
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: 0,
            count: 0,
            marker: None,
            is_short: false,
        }
    }

    /// Whether bits were needed that there are not. Forgotten by [`Bits::restart`].
    pub fn is_short(&self) -> bool {
        self.is_short
    }

    /// Forgets the bits that were read and not used: those at the end of coded data.
    pub fn restart(&mut self) {
        self.buffer = 0;
        self.count = 0;
        self.is_short = false;
    }

    /// Takes the next marker, and passes over what lies before it.
    pub fn next_marker(&mut self) -> u8 {
        self.restart();
        loop {
            if let Some(marker) = self.marker.take() {
                return marker;
            }
            self.byte();
        }
    }

    /// Goes on behind the restart marker of this number (0 to 7), or where browsers go on if there is another marker:
    /// one that is to come soon, or that ends the scan, waits for its turn, and what should lie before it is missing.
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

    /// The content of a segment whose marker was taken.
    pub fn segment(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        self.reader.read_exact(&mut length)?;
        let length = usize::from(u16::from_be_bytes(length));
        let mut content = vec![0; length.checked_sub(2).ok_or_else(ended)?];
        self.reader.read_exact(&mut content)?;
        Ok(content)
    }

    /// The next 16 bits, which are not used by that.
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

    /// Uses up to 16 bits.
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

    /// A byte of coded data; none at a marker, which stays, and at the end of the file.
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

    /// A reader that fails is at its end: whoever reads it sees for what reason.
    #[inline]
    fn raw(&mut self) -> Option<u8> {
        let byte = *self.reader.fill_buf().ok()?.first()?;
        self.reader.consume(1);
        Some(byte)
    }
}

/// A file that ends early. It cannot: its container was walked.
fn ended() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}
