//! Decodes a PNG, and checks that its image data contain the image and nothing else.
//!
//! The decoder does not report trailing data: what follows a frame's compressed stream, and what the stream contains
//! after the last row. Our own check of the lengths does not verify headers, checksums or filters. So both run.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use app::model::MediaType;

use fdeflate::Decompressor;

use super::seekable::Seekable;
use super::timed::{TimeBudget, Timed};
use crate::image::container_info::ContainerInfo;
use crate::image::error::ImageError;

/// How far back a stream refers to its own output, in bytes (RFC 1950).
const WINDOW: usize = 32 * 1024;

/// The length of the signature before the first chunk, in bytes.
const SIGNATURE: usize = 8;

/// Decodes the image, and then checks the lengths of its streams.
pub(super) fn decode(
    file: File,
    container: &ContainerInfo,
    budget: TimeBudget,
) -> Result<(), ImageError> {
    let again = file.try_clone().map_err(|_| ImageError::Unavailable)?;
    decode_rows(file, container, budget)?;
    check_stream_lengths(again, budget)
}

fn decode_rows(
    file: File,
    container: &ContainerInfo,
    budget: TimeBudget,
) -> Result<(), ImageError> {
    let mut options = ::png::DecodeOptions::default();
    options.set_ignore_crc(false);
    // Browsers do not check the checksum after the rows.
    options.set_ignore_adler32(true);
    // A profile may expand to a huge size; it is left to the browser.
    options.set_ignore_iccp_chunk(true);
    let refused = |_| ImageError::Damaged(MediaType::Png);
    let mut decoder = ::png::Decoder::new_with_options(Seekable::new(file, budget), options);
    // The decoder counts all rows that it has ever buffered against this limit. The length of a row is limited by the
    // image's width.
    decoder.set_limits(::png::Limits { bytes: usize::MAX });
    let mut reader = decoder.read_info().map_err(refused)?;
    for frame in 0..container.frames {
        if frame > 0 {
            reader.next_frame_info().map_err(refused)?;
        }
        while reader.next_interlaced_row().map_err(refused)?.is_some() {
            budget.check()?;
        }
    }
    reader.finish().map_err(refused)
}

/// Checks the length of each frame's stream, in a file whose container was checked.
fn check_stream_lengths(mut file: File, budget: TimeBudget) -> Result<(), ImageError> {
    file.rewind().map_err(|_| ImageError::Unavailable)?;
    let mut reader = BufReader::new(Timed::new(file, budget));
    let refused = |_| ImageError::Damaged(MediaType::Png);
    read_array::<SIGNATURE>(&mut reader).map_err(refused)?;
    let mut header = [0; 13];
    let mut stream: Option<Stream> = None;
    loop {
        let [a, b, c, d, kind @ ..] = read_array::<8>(&mut reader).map_err(refused)?;
        let mut data = (&mut reader).take(u32::from_be_bytes([a, b, c, d]).into());
        match &kind {
            b"IHDR" => {
                header = read_array(&mut data).map_err(refused)?;
                stream = Some(Stream::new(&header, &header));
            }
            // A frame control before the image data repeats the image's size.
            b"fcTL" => {
                let [_, _, _, _, size @ ..] = read_array::<12>(&mut data).map_err(refused)?;
                finish(stream.replace(Stream::new(&header, &size)))?;
            }
            b"fdAT" => {
                read_array::<4>(&mut data).map_err(refused)?;
                feed(stream.as_mut(), &mut data, budget)?;
            }
            b"IDAT" => feed(stream.as_mut(), &mut data, budget)?,
            b"IEND" => return finish(stream),
            _ => {}
        }
        std::io::copy(&mut data, &mut std::io::sink()).map_err(refused)?;
        skip_checksum(&mut reader).map_err(refused)?;
    }
}

fn read_array<const N: usize>(reader: &mut impl Read) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The decoder has verified it.
fn skip_checksum(reader: &mut impl Read) -> std::io::Result<()> {
    read_array::<4>(reader).map(drop)
}

fn feed(
    stream: Option<&mut Stream>,
    data: &mut impl Read,
    budget: TimeBudget,
) -> Result<(), ImageError> {
    let stream = stream.ok_or(ImageError::Damaged(MediaType::Png))?;
    let mut input = [0; 8 * 1024];
    loop {
        budget.check()?;
        match data
            .read(&mut input)
            .map_err(|_| ImageError::Damaged(MediaType::Png))?
        {
            0 => return Ok(()),
            count => stream
                .feed(&input[..count])
                .ok_or(ImageError::Damaged(MediaType::Png))?,
        }
    }
}

fn finish(stream: Option<Stream>) -> Result<(), ImageError> {
    match stream {
        Some(stream) if stream.has_begun && !stream.is_complete() => {
            Err(ImageError::Damaged(MediaType::Png))
        }
        _ => Ok(()),
    }
}

/// The compressed rows of one frame.
struct Stream {
    decompressor: Decompressor,
    /// The last output, which the stream may refer to, and space for more.
    output: Vec<u8>,
    filled: usize,
    has_begun: bool,
    /// How many bytes of the frame's rows are still missing.
    left: u64,
}

impl Stream {
    /// `size` begins with the frame's width and height.
    fn new(header: &[u8; 13], size: &[u8]) -> Self {
        let mut decompressor = Decompressor::new();
        decompressor.ignore_adler32();
        Self {
            decompressor,
            output: vec![0; 4 * WINDOW],
            filled: 0,
            has_begun: false,
            left: raw_len(header, size),
        }
    }

    fn is_complete(&self) -> bool {
        self.decompressor.is_done() && self.left == 0
    }

    /// Decompresses the input. Returns `None` if there is too much of it; up to three bytes after the end are not
    /// noticed.
    fn feed(&mut self, mut input: &[u8]) -> Option<()> {
        self.has_begun = true;
        loop {
            if self.decompressor.is_done() {
                return input.is_empty().then_some(());
            }
            let (read, written) = self
                .decompressor
                .read(input, &mut self.output, self.filled, false)
                .ok()?;
            input = &input[read..];
            self.filled += written;
            self.left = self.left.checked_sub(written as u64)?;
            let is_full = self.filled == self.output.len();
            if is_full {
                self.output.copy_within(self.filled - WINDOW.., 0);
                self.filled = WINDOW;
            } else if input.is_empty() || read == 0 && written == 0 {
                return input.is_empty().then_some(());
            }
        }
    }
}

/// Returns the length of a frame's rows in bytes, each with its filter type; of all seven passes, if it is interlaced.
pub(in crate::image) fn raw_len(header: &[u8; 13], size: &[u8]) -> u64 {
    const NOT_INTERLACED: [[u64; 4]; 1] = [[0, 0, 1, 1]];
    const ADAM7: [[u64; 4]; 7] = [
        [0, 0, 8, 8],
        [4, 0, 8, 8],
        [0, 4, 4, 8],
        [2, 0, 4, 4],
        [0, 2, 2, 4],
        [1, 0, 2, 2],
        [0, 1, 1, 2],
    ];
    let pixels =
        |at: usize| u64::from(u32::from_be_bytes([0, 1, 2, 3].map(|byte| size[at + byte])));
    let samples = match header[9] {
        2 => 3,
        4 => 2,
        6 => 4,
        _ => 1,
    };
    let bits = u64::from(header[8]) * samples;
    let passes = if header[12] == 1 {
        &ADAM7[..]
    } else {
        &NOT_INTERLACED
    };
    let pass = |[x, y, across, down]: &[u64; 4]| {
        let width = pixels(0).saturating_sub(*x).div_ceil(*across);
        let height = pixels(4).saturating_sub(*y).div_ceil(*down);
        if width == 0 {
            0
        } else {
            height * (1 + (width * bits).div_ceil(8))
        }
    };
    passes.iter().map(pass).sum()
}
