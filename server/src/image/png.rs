//! The walk over a PNG (W3C PNG 3, animated ones too): which of its chunks are served, and what decoding it will take.
//!
//! Served is what shows: image data, palette, transparency, colour and size information, animation. Texts, times, EXIF
//! data and chunks that are unknown go, and so does what follows the end. Browsers turn a PNG by the orientation in
//! EXIF data before the image data, so that one tag stays.
//!
//! A chunk that browsers pass over, since it is broken, late or there twice, goes too. What follows the image data of
//! a still picture does not count, so that a missing end is added. An animation that is not sound becomes its still
//! picture; one whose still picture is none of its frames ends before what is not sound.

mod animation;
mod chunk;
pub(super) mod recompressed;

use self::animation::Animation;
use self::chunk::{Chunk, FRAMING, written};
use super::error::ImageError;
use super::format_name::PNG;
use super::limits::{EXIF_BYTES, MIB, Tally};
use super::orientation::Orientation;
use super::outline::{Coding, Outline};
use super::plan::Plan;
use super::source::Source;
use crate::config::ImageLimits;

/// Chunks of one picture. Writers that flush every kilobyte stay below this.
const CHUNKS: u32 = 65_536;

/// Walks a PNG from its first byte.
pub(super) fn walk(source: &mut Source, limits: &ImageLimits) -> Result<Outline, ImageError> {
    source.skip(8)?;
    let mut walk = Walk::begin(source, limits)?;
    match walk.chunks(source, limits) {
        Ok(()) => {}
        // Whether the data are whole turns out when they are decoded.
        Err(ImageError::Damaged(_)) if walk.has_data && walk.animation.is_none() => {}
        Err(error) => return Err(error),
    }
    walk.finish(source, limits)
}

#[derive(Debug)]
struct Walk {
    width: u32,
    height: u32,
    colour: u8,
    bits_per_pixel: u32,
    orientation: Option<Orientation>,
    /// Bytes of the palette.
    palette: u64,
    has_data: bool,
    /// Kinds of chunks that may be there once, and were.
    met: Vec<[u8; 4]>,
    animation: Option<Animation>,
    tally: Tally,
    /// What shows of a still picture.
    still: Plan,
}

impl Walk {
    /// The header, which must come first.
    fn begin(source: &mut Source, limits: &ImageLimits) -> Result<Self, ImageError> {
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
            colour,
            bits_per_pixel: u32::from(depth) * samples,
            orientation: None,
            palette: 0,
            has_data: false,
            met: Vec::new(),
            animation: None,
            tally: Tally::default(),
            still: Plan::default(),
        })
    }

    /// Every chunk up to the end.
    fn chunks(&mut self, source: &mut Source, limits: &ImageLimits) -> Result<(), ImageError> {
        for _ in 0..CHUNKS {
            let chunk = Chunk::next(source)?;
            if chunk.kind == *b"IEND" {
                return Ok(());
            }
            self.chunk(source, &chunk, limits)?;
            source.skip(chunk.end - source.position())?;
        }
        Err(ImageError::TooLarge(
            "This PNG image has more chunks than can be shared. Try to save it again.".to_owned(),
        ))
    }

    fn chunk(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        limits: &ImageLimits,
    ) -> Result<(), ImageError> {
        let keeps = match &chunk.kind {
            b"IDAT" => self.image_data(limits)?,
            b"PLTE" => self.palette(source, chunk)?,
            b"acTL" => return self.animation_control(source, chunk),
            b"fcTL" => return self.frame_control(source, chunk, limits),
            b"fdAT" => {
                if let Some(animation) = &mut self.animation {
                    animation.frame_data(source, chunk)?;
                }
                false
            }
            b"eXIf" => self.exif(source, chunk)?,
            _ if chunk.is_critical() => return Err(source.damaged()),
            _ => self.shows(chunk) && self.is_first(chunk.kind) && chunk.is_sound(source)?,
        };
        if keeps {
            self.still.copy(chunk.whole());
            if let Some(animation) = &mut self.animation {
                animation.body.copy(chunk.whole());
            }
        }
        Ok(())
    }

    /// Whether a chunk that is not critical shows, stands where it may, and has a length that it may have.
    fn shows(&self, chunk: &Chunk) -> bool {
        !self.has_data
            && match &chunk.kind {
                b"tRNS" => match self.colour {
                    0 => chunk.len == 2,
                    2 => chunk.len == 6,
                    3 => self.palette > 0 && chunk.len <= 256,
                    _ => false,
                },
                b"gAMA" | b"cICP" => chunk.len == 4,
                b"sBIT" => chunk.len <= 4,
                b"cHRM" => chunk.len == 32,
                b"sRGB" => chunk.len == 1,
                b"bKGD" => chunk.len <= 6,
                b"pHYs" => chunk.len == 9,
                b"mDCV" => chunk.len == 24,
                b"cLLI" => chunk.len == 8,
                b"iCCP" => true,
                _ => false,
            }
    }

    /// Whether there was no chunk of this kind before.
    fn is_first(&mut self, kind: [u8; 4]) -> bool {
        let is_first = !self.met.contains(&kind);
        if is_first {
            self.met.push(kind);
        }
        is_first
    }

    /// A palette that greys do not need is passed over.
    fn palette(&mut self, source: &Source, chunk: &Chunk) -> Result<bool, ImageError> {
        if matches!(self.colour, 0 | 4) {
            return Ok(false);
        }
        if chunk.len == 0 || chunk.len > 768 || self.has_data || !self.is_first(chunk.kind) {
            return Err(source.damaged());
        }
        self.palette = chunk.len;
        Ok(true)
    }

    /// A default image that is not a frame of the animation is decoded like one.
    fn image_data(&mut self, limits: &ImageLimits) -> Result<bool, ImageError> {
        if self.colour == 3 && self.palette == 0 {
            return Err(ImageError::Damaged(PNG));
        }
        if !self.has_data && !self.animation.as_ref().is_some_and(Animation::has_begun) {
            self.tally.add(self.width, self.height, limits)?;
        }
        self.has_data = true;
        if let Some(animation) = &mut self.animation {
            animation.image_data();
        }
        Ok(true)
    }

    /// Animation control that comes late or promises nothing is passed over, and the picture is a still one.
    fn animation_control(&mut self, source: &mut Source, chunk: &Chunk) -> Result<(), ImageError> {
        if self.has_data || self.animation.is_some() || chunk.len != 8 {
            return Ok(());
        }
        let promised = u32::from_be_bytes(source.array()?);
        let plays = source.array()?;
        if (1..1 << 31).contains(&promised) {
            self.animation = Some(Animation::new(promised, plays, self.still.clone()));
        }
        Ok(())
    }

    fn frame_control(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        limits: &ImageLimits,
    ) -> Result<(), ImageError> {
        let Some(animation) = &mut self.animation else {
            return Ok(());
        };
        let size = (self.width, self.height);
        if let Some((width, height)) = animation.frame_control(source, chunk, size)? {
            self.tally.add(width, height, limits)?;
        }
        Ok(())
    }

    fn exif(&mut self, source: &mut Source, chunk: &Chunk) -> Result<bool, ImageError> {
        if !self.has_data && self.orientation.is_none() && chunk.len <= EXIF_BYTES {
            self.orientation = chunk.data(source)?.map(Orientation::read);
        }
        Ok(false)
    }

    fn finish(self, source: &Source, limits: &ImageLimits) -> Result<Outline, ImageError> {
        if !self.has_data {
            return Err(source.damaged());
        }
        limits.check_frames(self.tally.frames)?;
        let (frames, animated) = match self.animation {
            Some(animation) => animation.finish().ok_or_else(|| source.damaged())?,
            None => (1, None),
        };
        let orientation = self.orientation.unwrap_or_default();
        let still = whole(orientation, self.still);
        let (plan, still) = match animated {
            Some(animation) => (whole(orientation, animation), Some(still)),
            None => (still, None),
        };
        // It is decoded row by row: a handful of rows, and the decompressor's window.
        let row = u64::from(self.width) * u64::from(self.bits_per_pixel).div_ceil(8);
        Ok(Outline {
            width: self.width,
            height: self.height,
            orientation,
            frames,
            memory: MIB + 16 * row,
            plan,
            coding: Coding::Png { still },
        })
    }
}

/// Signature and header, then the orientation, then the rest and an end.
fn whole(orientation: Orientation, body: Plan) -> Plan {
    let mut plan = Plan::default();
    plan.copy(0..8 + FRAMING + 13);
    if let Some(tiff) = orientation.bare_tiff() {
        plan.write(&written(*b"eXIf", &tiff));
    }
    plan.append(body);
    plan.write(&written(*b"IEND", b""));
    plan
}
