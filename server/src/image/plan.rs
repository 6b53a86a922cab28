//! Describes the file to be served: ranges of the uploaded file to copy, and bytes to insert.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;

/// The most pieces of a plan. An image of 1,000 frames has a few thousand; no real image has more than this.
const MAX_PIECES: usize = 65_536;

/// A piece of the file to be served.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// These bytes of the uploaded file.
    Copy(Range<u64>),
    /// These bytes.
    Write(Vec<u8>),
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Copy(range) => range.end - range.start,
            Self::Write(bytes) => bytes.len() as u64,
        }
    }
}

/// Pieces in order. After one piece more than the limit nothing is added, so that the memory is limited whatever the
/// file; such a plan is [overlong](Plan::is_overlong) and never executed.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pieces: Vec<Piece>,
}

impl Plan {
    /// Appends a range of the uploaded file.
    pub fn copy(&mut self, range: Range<u64>) {
        if self.is_overlong() {
            return;
        }
        if let Some(Piece::Copy(last)) = self.pieces.last_mut()
            && last.end == range.start
        {
            last.end = range.end;
        } else if !range.is_empty() {
            self.pieces.push(Piece::Copy(range));
        }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        if self.is_overlong() {
            return;
        }
        if let Some(Piece::Write(last)) = self.pieces.last_mut() {
            last.extend_from_slice(bytes);
        } else {
            self.pieces.push(Piece::Write(bytes.to_vec()));
        }
    }

    /// Appends another plan.
    pub fn append(&mut self, other: Self) {
        for piece in other.pieces {
            match piece {
                Piece::Copy(range) => self.copy(range),
                Piece::Write(bytes) => self.write(&bytes),
            }
        }
    }

    /// Returns whether there are more pieces than any real image has.
    pub fn is_overlong(&self) -> bool {
        self.pieces.len() > MAX_PIECES
    }

    /// Returns the length of the described file in bytes.
    pub fn len(&self) -> u64 {
        self.pieces.iter().map(Piece::len).sum()
    }

    /// Writes the described file, with ranges of `input`, to `output`.
    pub fn execute(&self, input: &mut File, output: &mut File) -> io::Result<()> {
        output.set_len(0)?;
        output.rewind()?;
        for piece in &self.pieces {
            match piece {
                Piece::Write(bytes) => output.write_all(bytes)?,
                Piece::Copy(range) => copy(input, range.clone(), output)?,
            }
        }
        Ok(())
    }

    /// Reads the described file without writing it.
    pub fn reader(self, file: File) -> PlanReader {
        PlanReader {
            plan: self,
            file,
            position: 0,
        }
    }
}

/// Appends a range of `input` to `output`.
fn copy(input: &mut File, range: Range<u64>, output: &mut File) -> io::Result<()> {
    let mut at = input.seek(SeekFrom::Start(range.start))?;
    while at < range.end {
        match io::copy(&mut Read::take(&mut *input, range.end - at), output) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(copied) => at += copied,
            // The kernel copies from one file to the other, and a signal ends that, for which `io::copy` does not
            // provide. What was copied has moved both files' positions.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                at = input.stream_position()?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A file that exists as a plan only.
#[derive(Debug)]
pub(super) struct PlanReader {
    plan: Plan,
    file: File,
    position: u64,
}

impl Read for PlanReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut offset = self.position;
        for piece in &self.plan.pieces {
            let left = piece.len().saturating_sub(offset);
            if left == 0 {
                offset -= piece.len();
                continue;
            }
            let count = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
            let read = match piece {
                Piece::Copy(range) => {
                    self.file.seek(SeekFrom::Start(range.start + offset))?;
                    self.file.read(&mut buffer[..count])?
                }
                Piece::Write(bytes) => {
                    let skipped = usize::try_from(offset).map_err(io::Error::other)?;
                    (&bytes[skipped..]).read(&mut buffer[..count])?
                }
            };
            self.position += read as u64;
            return Ok(read);
        }
        Ok(0)
    }
}

impl Seek for PlanReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.plan.len().checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_pieces_is_limited() {
        let mut plan = Plan::default();
        for at in (0..1_000_000).step_by(2) {
            plan.copy(at..at + 1);
        }
        let mut whole = Plan::default();
        whole.append(plan);
        for _ in 0..10 {
            whole.write(&[0; 100]);
            whole.copy(5..6);
        }
        assert!(whole.is_overlong());
        assert_eq!(whole.pieces.len(), MAX_PIECES + 1);
    }

    #[test]
    fn a_plan_is_read_as_it_is_written() {
        let mut input = tempfile::tempfile().unwrap();
        input.write_all(b"0123456789").unwrap();
        let mut plan = Plan::default();
        plan.copy(1..3);
        plan.copy(3..4);
        plan.write(b"ab");
        plan.write(b"c");
        plan.copy(8..8);
        plan.copy(8..10);
        let mut output = tempfile::tempfile().unwrap();
        plan.execute(&mut input, &mut output).unwrap();
        let mut written = String::new();
        output.rewind().unwrap();
        output.read_to_string(&mut written).unwrap();
        assert_eq!(written, "123abc89");
        assert_eq!(plan.len(), 8);

        let mut reader = plan.reader(input);
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, written);
        reader.seek(SeekFrom::End(-4)).unwrap();
        read.clear();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, "bc89");
    }
}
