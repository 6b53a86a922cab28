//! Decodes a PNG, and sees to it that its image data hold the picture and nothing else.
//!
//! The decoder passes over what lies behind a frame's compressed stream, and over what the stream holds behind the
//! frame's last row. Therefore the streams are decompressed once more, for their lengths alone.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use fdeflate::Decompressor;

use super::seekable::Seekable;
use super::timed::{Budget, Timed};
use crate::image::error::ImageError;
use crate::image::format_name::PNG;
use crate::image::outline::Outline;

/// How far back a stream refers to its own output (RFC 1950).
const WINDOW: usize = 32 * 1024;

/// Bytes before the first chunk.
const SIGNATURE: usize = 8;

/// Row by row.
pub(super) fn decode(file: File, outline: &Outline, budget: Budget) -> Result<(), ImageError> {
    let again = file.try_clone().map_err(|_| ImageError::Unavailable)?;
    rows(file, outline, budget)?;
    lengths(again, budget)
}

fn rows(file: File, outline: &Outline, budget: Budget) -> Result<(), ImageError> {
    let mut options = ::png::DecodeOptions::default();
    options.set_ignore_crc(false);
    // Browsers do not look at the checksum behind the rows.
    options.set_ignore_adler32(true);
    // A profile is compressed, and may be a bomb: it is for the browser to open.
    options.set_ignore_iccp_chunk(true);
    let refused = |_| ImageError::Damaged(PNG);
    let mut decoder = ::png::Decoder::new_with_options(Seekable::new(file, budget), options);
    // It counts every row that it ever held against this limit. The rows' length is bounded by the picture's width.
    decoder.set_limits(::png::Limits { bytes: usize::MAX });
    let mut reader = decoder.read_info().map_err(refused)?;
    for frame in 0..outline.frames {
        if frame > 0 {
            reader.next_frame_info().map_err(refused)?;
        }
        while reader.next_interlaced_row().map_err(refused)?.is_some() {
            budget.check()?;
        }
    }
    reader.finish().map_err(refused)
}

/// Chunk by chunk, of a file whose container is known to be whole.
fn lengths(mut file: File, budget: Budget) -> Result<(), ImageError> {
    file.rewind().map_err(|_| ImageError::Unavailable)?;
    let mut reader = BufReader::new(Timed::new(file, budget));
    let refused = |_| ImageError::Damaged(PNG);
    take::<SIGNATURE>(&mut reader).map_err(refused)?;
    let mut header = [0; 13];
    let mut stream: Option<Stream> = None;
    loop {
        let [a, b, c, d, kind @ ..] = take::<8>(&mut reader).map_err(refused)?;
        let mut data = (&mut reader).take(u32::from_be_bytes([a, b, c, d]).into());
        match &kind {
            b"IHDR" => {
                header = take(&mut data).map_err(refused)?;
                stream = Some(Stream::new(&header, &header));
            }
            // A control before the image data repeats the picture's size.
            b"fcTL" => {
                let [_, _, _, _, size @ ..] = take::<12>(&mut data).map_err(refused)?;
                finish(stream.replace(Stream::new(&header, &size)))?;
            }
            b"fdAT" => {
                take::<4>(&mut data).map_err(refused)?;
                feed(stream.as_mut(), &mut data, budget)?;
            }
            b"IDAT" => feed(stream.as_mut(), &mut data, budget)?,
            b"IEND" => return finish(stream),
            _ => {}
        }
        std::io::copy(&mut data, &mut std::io::sink()).map_err(refused)?;
        take::<4>(&mut reader).map_err(refused)?;
    }
}

fn take<const N: usize>(reader: &mut impl Read) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn feed(
    stream: Option<&mut Stream>,
    data: &mut impl Read,
    budget: Budget,
) -> Result<(), ImageError> {
    let stream = stream.ok_or(ImageError::Damaged(PNG))?;
    let mut input = [0; 8 * 1024];
    loop {
        budget.check()?;
        match data
            .read(&mut input)
            .map_err(|_| ImageError::Damaged(PNG))?
        {
            0 => return Ok(()),
            count => stream
                .feed(&input[..count])
                .ok_or(ImageError::Damaged(PNG))?,
        }
    }
}

fn finish(stream: Option<Stream>) -> Result<(), ImageError> {
    match stream {
        Some(stream) if stream.has_begun && !stream.is_whole() => Err(ImageError::Damaged(PNG)),
        _ => Ok(()),
    }
}

/// The compressed rows of one frame.
struct Stream {
    decompressor: Decompressor,
    /// What was put out last, for the stream to refer to, and room for more.
    output: Vec<u8>,
    filled: usize,
    has_begun: bool,
    /// Bytes that the frame's rows still take.
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

    fn is_whole(&self) -> bool {
        self.decompressor.is_done() && self.left == 0
    }

    /// Takes all of the input, or tells that there is too much of it. Up to three bytes behind the end go unnoticed.
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

/// Bytes of a frame's rows, each with its filter's number; of all seven passes, if it is interlaced.
pub(in crate::image) fn raw_len(header: &[u8; 13], size: &[u8]) -> u64 {
    const WHOLE: [[u64; 4]; 1] = [[0, 0, 1, 1]];
    const PASSES: [[u64; 4]; 7] = [
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
    let passes = if header[12] == 1 { &PASSES[..] } else { &WHOLE };
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
