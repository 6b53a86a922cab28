//! The walk over a PNG (W3C PNG 3, animated ones too): which of its chunks are served, and what decoding it will take.
//!
//! Served is what shows: image data, palette, transparency, colour and size information, animation. Texts, times, EXIF
//! data and chunks that are unknown go, and so does what follows the end. Browsers turn a PNG by the orientation in
//! EXIF data before the image data, so that one tag stays.

use super::ImageError;
use super::limits::{EXIF_BYTES, Limits, MIB, PROFILE_BYTES, Tally, check_profile};
use super::orientation::Orientation;
use super::outline::{Coding, Outline};
use super::plan::Plan;
use super::source::Source;

/// The name of the format in what people are told.
pub(super) const NAME: &str = "PNG";

/// Chunks of one picture. Writers that flush every kilobyte stay below this.
const CHUNKS: u32 = 65_536;

/// What a length, a type and a checksum take.
const FRAMING: u64 = 12;

/// Walks a PNG from its first byte.
pub(super) fn walk(source: &mut Source, limits: &Limits) -> Result<Outline, ImageError> {
    source.skip(8)?;
    let mut walk = Walk::begin(source, limits)?;
    for _ in 0..CHUNKS {
        let chunk = Chunk::next(source)?;
        walk.chunk(source, &chunk, limits)?;
        if chunk.kind == *b"IEND" {
            return walk.finish(source, limits);
        }
        source.skip(chunk.end - source.position())?;
    }
    Err(source.damaged())
}

/// A chunk whose data are read next.
#[derive(Debug)]
struct Chunk {
    kind: [u8; 4],
    /// Bytes of data.
    len: u64,
    /// Where it begins, framing included.
    start: u64,
    /// Where it ends, framing included.
    end: u64,
}

impl Chunk {
    fn next(source: &mut Source) -> Result<Self, ImageError> {
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

    fn is_critical(&self) -> bool {
        self.kind[0].is_ascii_uppercase()
    }

    /// Whether a chunk that is not critical shows, and has a length that it may have.
    fn shows(&self) -> bool {
        match &self.kind {
            b"tRNS" => self.len <= 256,
            b"gAMA" | b"sBIT" | b"cICP" => self.len <= 4,
            b"cHRM" => self.len == 32,
            b"sRGB" => self.len == 1,
            b"bKGD" => self.len <= 6,
            b"pHYs" => self.len == 9,
            b"mDCV" => self.len == 24,
            b"cLLI" => self.len == 8,
            b"iCCP" => self.len <= PROFILE_BYTES,
            _ => false,
        }
    }
}

#[derive(Debug)]
struct Walk {
    width: u32,
    height: u32,
    bits_per_pixel: u32,
    orientation: Option<Orientation>,
    has_data: bool,
    /// Frames that the animation control promises; none for a still picture.
    promised: Option<u32>,
    controls: u32,
    tally: Tally,
    body: Plan,
}

impl Walk {
    /// The header, which must come first.
    fn begin(source: &mut Source, limits: &Limits) -> Result<Self, ImageError> {
        let header = Chunk::next(source)?;
        if header.kind != *b"IHDR" || header.len != 13 {
            return Err(source.damaged());
        }
        let width = u32::from_be_bytes(source.array()?);
        let height = u32::from_be_bytes(source.array()?);
        let [depth, colour] = source.array()?;
        source.skip(header.end - source.position())?;
        if width == 0 || height == 0 || depth > 16 {
            return Err(source.damaged());
        }
        limits.check_size(width, height)?;
        let samples = match colour {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };
        Ok(Self {
            width,
            height,
            bits_per_pixel: u32::from(depth) * samples,
            orientation: None,
            has_data: false,
            promised: None,
            controls: 0,
            tally: Tally::default(),
            body: Plan::default(),
        })
    }

    fn chunk(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        limits: &Limits,
    ) -> Result<(), ImageError> {
        let keeps = match &chunk.kind {
            b"IDAT" => self.image_data(limits)?,
            b"PLTE" => chunk.len <= 768,
            b"IEND" => chunk.len == 0,
            b"acTL" => self.animation_control(source, chunk, limits)?,
            b"fcTL" => self.frame_control(source, chunk, limits)?,
            b"fdAT" => self.promised.is_some(),
            b"eXIf" => self.exif(source, chunk)?,
            b"iCCP" => {
                check_profile(chunk.len)?;
                true
            }
            _ => chunk.shows(),
        };
        if keeps {
            self.body.copy(chunk.start..chunk.end);
        } else if chunk.is_critical() {
            return Err(source.damaged());
        }
        Ok(())
    }

    /// A default image that is not a frame of the animation is decoded like one.
    fn image_data(&mut self, limits: &Limits) -> Result<bool, ImageError> {
        if !self.has_data && self.controls == 0 {
            self.tally.add(self.width, self.height, limits)?;
        }
        self.has_data = true;
        Ok(true)
    }

    /// Animation control that comes late or promises nothing is passed over, and the picture is a still one.
    fn animation_control(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        limits: &Limits,
    ) -> Result<bool, ImageError> {
        if self.has_data || self.promised.is_some() || chunk.len != 8 {
            return Ok(false);
        }
        let frames = u32::from_be_bytes(source.array()?);
        limits.check_frames(frames)?;
        self.promised = Some(frames).filter(|frames| *frames > 0);
        Ok(frames > 0)
    }

    fn frame_control(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        limits: &Limits,
    ) -> Result<bool, ImageError> {
        if self.promised.is_none() {
            return Ok(false);
        }
        if chunk.len != 26 {
            return Err(source.damaged());
        }
        let _sequence: [u8; 4] = source.array()?;
        let [width, height] = [source.array()?, source.array()?].map(u32::from_be_bytes);
        let [x, y] = [source.array()?, source.array()?].map(u32::from_be_bytes);
        let fits = |offset: u32, len: u32, whole| {
            len > 0 && offset.checked_add(len).is_some_and(|end| end <= whole)
        };
        if !fits(x, width, self.width) || !fits(y, height, self.height) {
            return Err(source.damaged());
        }
        self.controls += 1;
        self.tally.add(width, height, limits)?;
        Ok(true)
    }

    fn exif(&mut self, source: &mut Source, chunk: &Chunk) -> Result<bool, ImageError> {
        if !self.has_data && self.orientation.is_none() && chunk.len <= EXIF_BYTES {
            self.orientation = Some(Orientation::read(source.bytes(chunk.len)?));
        }
        Ok(false)
    }

    fn finish(self, source: &Source, limits: &Limits) -> Result<Outline, ImageError> {
        if !self.has_data || self.promised.is_some_and(|frames| frames != self.controls) {
            return Err(source.damaged());
        }
        limits.check_frames(self.tally.frames)?;
        let orientation = self.orientation.unwrap_or_default();
        // Signature and header, then the orientation, then the rest.
        let mut plan = Plan::default();
        plan.copy(0..8 + FRAMING + 13);
        if let Some(tiff) = orientation.bare_tiff() {
            plan.write(&exif_chunk(&tiff));
        }
        plan.append(self.body);
        // It is decoded row by row: a handful of rows, and the decompressor's window.
        let row = u64::from(self.width) * u64::from(self.bits_per_pixel).div_ceil(8);
        Ok(Outline {
            width: self.width,
            height: self.height,
            orientation,
            frames: self.tally.frames,
            memory: MIB + 16 * row,
            plan,
            coding: Coding::Plain,
        })
    }
}

fn exif_chunk(tiff: &[u8; 26]) -> Vec<u8> {
    let mut checked = b"eXIf".to_vec();
    checked.extend_from_slice(tiff);
    let checksum = crc32fast::hash(&checked).to_be_bytes();
    [&[0, 0, 0, 26][..], &checked, &checksum].concat()
}
