//! Compresses image data that contain more than the image again, without the rest. The rows are not changed.

use std::io::{self, Read, Write};

use crc32fast::Hasher;
use flate2::Compression;
use flate2::read::{DeflateDecoder, ZlibEncoder};

use super::super::decode::png::raw_len;
use super::chunk::encode_chunk;

/// The length of the image data in one chunk.
const CHUNK_BYTES: usize = 64 * 1024;

/// Copies a still image, whose container was checked, with its image data compressed again. Fails if they take more
/// than `limit` bytes.
pub(in crate::image) fn recompress(
    mut input: impl Read,
    mut output: impl Write,
    limit: u64,
) -> io::Result<()> {
    let mut signature = [0; 8];
    input.read_exact(&mut signature)?;
    output.write_all(&signature)?;
    let mut header = [0; 13];
    loop {
        let mut start = [0; 8];
        input.read_exact(&mut start)?;
        let [a, b, c, d, kind @ ..] = start;
        if kind == *b"IDAT" {
            let data = ImageData::begin(&mut input, u32::from_be_bytes([a, b, c, d]));
            write_rows(Rows::new(data, &header)?, &mut output, limit)?;
            return output.write_all(&encode_chunk(*b"IEND", b""));
        }
        // The walk has limited it: only a profile is long.
        let mut data = Vec::new();
        let len = u64::from(u32::from_be_bytes([a, b, c, d])) + 4;
        (&mut input).take(len).read_to_end(&mut data)?;
        if kind == *b"IHDR" {
            header.copy_from_slice(data.get(..13).ok_or(io::ErrorKind::UnexpectedEof)?);
        }
        output.write_all(&start)?;
        output.write_all(&data)?;
    }
}

fn write_rows(rows: Rows<impl Read>, output: &mut impl Write, limit: u64) -> io::Result<()> {
    let mut encoder = ZlibEncoder::new(rows, Compression::fast());
    loop {
        let mut data = Vec::with_capacity(CHUNK_BYTES);
        (&mut encoder)
            .take(CHUNK_BYTES as u64)
            .read_to_end(&mut data)?;
        if data.is_empty() {
            break;
        }
        if encoder.total_out() > limit {
            return Err(io::ErrorKind::InvalidData.into());
        }
        output.write_all(&encode_chunk(*b"IDAT", &data))?;
    }
    // The checksums of the rest are checked too.
    let mut rest = encoder.into_inner().decompressed.into_inner();
    io::copy(&mut rest, &mut io::sink()).map(|_| ())
}

/// The data of consecutive chunks, as one stream.
struct ImageData<R> {
    input: R,
    /// The number of bytes left in this chunk.
    left: u64,
    checksum: Hasher,
    /// Whether another kind of chunk follows.
    is_finished: bool,
}

impl<R: Read> ImageData<R> {
    fn begin(input: R, len: u32) -> Self {
        Self {
            input,
            left: len.into(),
            checksum: data_checksum(),
            is_finished: false,
        }
    }
}

/// Starts the checksum of a chunk of image data.
fn data_checksum() -> Hasher {
    let mut checksum = Hasher::new();
    checksum.update(b"IDAT");
    checksum
}

impl<R: Read> Read for ImageData<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 && !self.is_finished {
            let mut checksum = [0; 4];
            self.input.read_exact(&mut checksum)?;
            if u32::from_be_bytes(checksum) != self.checksum.clone().finalize() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut start = [0; 8];
            self.input.read_exact(&mut start)?;
            let [a, b, c, d, kind @ ..] = start;
            if kind != *b"IDAT" {
                self.is_finished = true;
                return Ok(0);
            }
            self.left = u32::from_be_bytes([a, b, c, d]).into();
            self.checksum = data_checksum();
        }
        let count = (&mut self.input).take(self.left).read(buffer)?;
        self.checksum.update(&buffer[..count]);
        self.left -= count as u64;
        Ok(count)
    }
}

/// An image's rows up to the last one, without the stream's checksum.
struct Rows<R> {
    decompressed: DeflateDecoder<R>,
    left: u64,
}

impl<R: Read> Rows<R> {
    fn new(mut data: R, header: &[u8; 13]) -> io::Result<Self> {
        data.read_exact(&mut [0; 2])?;
        Ok(Self {
            decompressed: DeflateDecoder::new(data),
            left: raw_len(header, header),
        })
    }
}

impl<R: Read> Read for Rows<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (&mut self.decompressed).take(self.left).read(buffer)?;
        if count == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}
