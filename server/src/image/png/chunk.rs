//! A PNG's chunks.

use std::io::Read;
use std::ops::Range;

use flate2::read::ZlibDecoder;

use super::super::error::ImageError;
use super::super::limits::PROFILE_BYTES;
use super::super::profile::{HEADER, is_profile};
use super::super::source::Source;

/// What a length, a type and a checksum take.
pub(super) const FRAMING: u64 = 12;

/// A chunk whose data are read next.
#[derive(Debug)]
pub(super) struct Chunk {
    pub kind: [u8; 4],
    /// Bytes of data.
    pub len: u64,
    /// Where it begins, framing included.
    start: u64,
    /// Where it ends, framing included.
    pub end: u64,
}

impl Chunk {
    /// The next one, which lies within the file as a whole.
    pub fn next(source: &mut Source) -> Result<Self, ImageError> {
        let start = source.position();
        let len = u64::from(u32::from_be_bytes(source.array()?));
        let kind = source.array()?;
        if source.left() < len + 4 {
            return Err(source.damaged());
        }
        Ok(Self {
            kind,
            len,
            start,
            end: start + len + FRAMING,
        })
    }

    /// Its bytes, framing included.
    pub fn whole(&self) -> Range<u64> {
        self.start..self.end
    }

    pub fn is_critical(&self) -> bool {
        self.kind[0].is_ascii_uppercase()
    }

    /// Its data, if their checksum is right. The caller has bounded the length.
    pub fn data(&self, source: &mut Source) -> Result<Option<Vec<u8>>, ImageError> {
        let data = source.bytes(self.len)?;
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&self.kind);
        checksum.update(&data);
        let is_right = u32::from_be_bytes(source.array()?) == checksum.finalize();
        Ok(is_right.then_some(data))
    }

    /// Whether its checksum is right, and a colour profile in it is one.
    pub fn is_sound(&self, source: &mut Source) -> Result<bool, ImageError> {
        if self.len > PROFILE_BYTES {
            return Ok(false);
        }
        let Some(data) = self.data(source)? else {
            return Ok(false);
        };
        Ok(self.kind != *b"iCCP" || holds_profile(&data))
    }
}

/// Whether there is a profile behind a name and a zero for how it is compressed. At most 4 MiB are unfolded of it.
fn holds_profile(data: &[u8]) -> bool {
    let name = memchr::memchr(0, data).filter(|end| (1..80).contains(end));
    let Some([0, compressed @ ..]) = name.map(|end| &data[end + 1..]) else {
        return false;
    };
    let mut unfolded = ZlibDecoder::new(compressed).take(PROFILE_BYTES + 1);
    let mut start = Vec::with_capacity(HEADER);
    let rest = Read::by_ref(&mut unfolded)
        .take(HEADER as u64)
        .read_to_end(&mut start)
        .and_then(|_| std::io::copy(&mut unfolded, &mut std::io::sink()));
    rest.is_ok_and(|rest| {
        let len = start.len() as u64 + rest;
        is_profile(&start, len)
    })
}

/// A chunk of these data, with its checksum. Not for more than 4 GB.
pub(super) fn written(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let checked = [&kind, data].concat();
    let len = u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes();
    let checksum = crc32fast::hash(&checked).to_be_bytes();
    [&len[..], &checked, &checksum].concat()
}
