//! Chunks of a PNG.

use std::io::Read;
use std::ops::Range;

use flate2::read::ZlibDecoder;

use super::super::error::ImageError;
use super::super::limits::PROFILE_BYTES;
use super::super::profile::{HEADER, is_profile};
use super::super::source::Source;

/// The length of a chunk without its data: length, type and checksum.
pub(super) const FRAMING: u64 = 12;

/// A chunk whose data come next.
#[derive(Debug)]
pub(super) struct Chunk {
    pub kind: [u8; 4],
    /// The length of its data.
    pub len: u64,
    /// Where it begins, with its framing.
    start: u64,
    /// Where it ends, with its framing.
    pub end: u64,
}

impl Chunk {
    /// Reads the next chunk's start. The whole chunk is within the file.
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

    /// Returns its range, with its framing.
    pub fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    pub fn is_critical(&self) -> bool {
        self.kind[0].is_ascii_uppercase()
    }

    /// Reads its data; `None` if the checksum is wrong. The caller has limited the length.
    pub fn data(&self, source: &mut Source) -> Result<Option<Vec<u8>>, ImageError> {
        let data = source.bytes(self.len)?;
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&self.kind);
        checksum.update(&data);
        let is_right = u32::from_be_bytes(source.array()?) == checksum.finalize();
        Ok(is_right.then_some(data))
    }

    /// Returns whether its checksum is right, and its colour profile, if it has one, is valid.
    pub fn is_valid(&self, source: &mut Source) -> Result<bool, ImageError> {
        if self.len > PROFILE_BYTES {
            return Ok(false);
        }
        let Some(data) = self.data(source)? else {
            return Ok(false);
        };
        Ok(self.kind != *b"iCCP" || holds_profile(&data))
    }
}

/// Whether a name and a zero for the compression method are followed by a compressed profile. Decompresses at most 4
/// MiB.
fn holds_profile(data: &[u8]) -> bool {
    let name = memchr::memchr(0, data).filter(|end| (1..80).contains(end));
    let Some([0, compressed @ ..]) = name.map(|end| &data[end + 1..]) else {
        return false;
    };
    let mut decompressed = ZlibDecoder::new(compressed).take(PROFILE_BYTES + 1);
    let mut start = Vec::with_capacity(HEADER);
    let rest = Read::by_ref(&mut decompressed)
        .take(HEADER as u64)
        .read_to_end(&mut start)
        .and_then(|_| std::io::copy(&mut decompressed, &mut std::io::sink()));
    rest.is_ok_and(|rest| {
        let len = start.len() as u64 + rest;
        is_profile(&start, len)
    })
}

/// Encodes a chunk with these data, of less than 4 GiB, and its checksum.
pub(super) fn encode_chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let checked = [&kind, data].concat();
    let len = u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes();
    let checksum = crc32fast::hash(&checked).to_be_bytes();
    [&len[..], &checked, &checksum].concat()
}
