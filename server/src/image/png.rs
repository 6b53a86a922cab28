//! Walks the chunks of a PNG (W3C PNG 3, with animations), plans which are served, and finds out what decoding it
//! takes.
//!
//! What is displayed is served: image data, palette, transparency, colour and size information, animation. Texts,
//! times, EXIF data, unknown chunks and what follows the end are not, except for the orientation from EXIF data before
//! the image data, since browsers apply it.
//!
//! Chunks that browsers ignore because they are invalid, late or repeated are not served either. What follows the image
//! data of a still image is ignored, so a missing end is added. A damaged animation becomes its still image; if that is
//! not one of the frames, the animation ends before the damage.

mod animation;
mod chunk;
pub(super) mod recompress;

use app::model::MediaType;

use self::animation::Animation;
use self::chunk::{Chunk, FRAMING, encode_chunk};
use super::container_info::{Coding, ContainerInfo};
use super::error::{Excess, ImageError};
use super::limits::{EXIF_BYTES, FrameCounter, MIB};
use super::orientation::Orientation;
use super::plan::Plan;
use super::source::Source;
use crate::config::ImageLimits;

/// The most chunks of an image. Encoders that write a chunk for every kilobyte stay below it.
const MAX_CHUNKS: u32 = 65_536;

/// Walks a PNG from its first byte.
pub(super) fn walk(source: &mut Source, limits: &ImageLimits) -> Result<ContainerInfo, ImageError> {
    source.skip(8)?;
    let mut walk = Walk::begin(source, limits)?;
    match walk.chunks(source, limits) {
        Ok(()) => {}
        // Decoding shows whether the data are complete.
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
    /// The length of the palette in bytes.
    palette: u64,
    has_data: bool,
    /// The kinds of chunks found so far that may occur once.
    found: Vec<[u8; 4]>,
    animation: Option<Animation>,
    frame_counter: FrameCounter,
    /// The plan of the still image.
    still: Plan,
}

impl Walk {
    /// Reads the header, which must come first.
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
            found: Vec::new(),
            animation: None,
            frame_counter: FrameCounter::default(),
            still: Plan::default(),
        })
    }

    /// Walks every chunk up to the end.
    fn chunks(&mut self, source: &mut Source, limits: &ImageLimits) -> Result<(), ImageError> {
        for _ in 0..MAX_CHUNKS {
            let chunk = Chunk::next(source)?;
            if chunk.kind == *b"IEND" {
                return Ok(());
            }
            self.chunk(source, &chunk, limits)?;
            source.skip(chunk.end - source.position())?;
        }
        Err(ImageError::TooLarge(Excess::Chunks))
    }

    fn chunk(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        limits: &ImageLimits,
    ) -> Result<(), ImageError> {
        let is_served = match &chunk.kind {
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
            _ => self.is_displayed(chunk) && self.is_first(chunk.kind) && chunk.is_valid(source)?,
        };
        if is_served {
            self.still.copy(chunk.range());
            if let Some(animation) = &mut self.animation {
                animation.body.copy(chunk.range());
            }
        }
        Ok(())
    }

    /// Whether an ancillary chunk is displayed, is at a valid place, and has a valid length.
    fn is_displayed(&self, chunk: &Chunk) -> bool {
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

    /// Records the kind, and returns whether there was no chunk of it before.
    fn is_first(&mut self, kind: [u8; 4]) -> bool {
        let is_first = !self.found.contains(&kind);
        if is_first {
            self.found.push(kind);
        }
        is_first
    }

    /// Returns whether the palette is served; grey images do not need one.
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
            return Err(ImageError::Damaged(MediaType::Png));
        }
        if !self.has_data && !self.animation.as_ref().is_some_and(Animation::has_begun) {
            self.frame_counter.add(self.width, self.height, limits)?;
        }
        self.has_data = true;
        if let Some(animation) = &mut self.animation {
            animation.image_data();
        }
        Ok(true)
    }

    /// Starts an animation. An `acTL` that is late or declares no frames is ignored, and the image is a still one.
    fn animation_control(&mut self, source: &mut Source, chunk: &Chunk) -> Result<(), ImageError> {
        if self.has_data || self.animation.is_some() || chunk.len != 8 {
            return Ok(());
        }
        let num_frames = u32::from_be_bytes(source.array()?);
        let num_plays = source.array()?;
        if (1..1 << 31).contains(&num_frames) {
            self.animation = Some(Animation::new(num_frames, num_plays, self.still.clone()));
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
            self.frame_counter.add(width, height, limits)?;
        }
        Ok(())
    }

    fn exif(&mut self, source: &mut Source, chunk: &Chunk) -> Result<bool, ImageError> {
        if !self.has_data && self.orientation.is_none() && chunk.len <= EXIF_BYTES {
            self.orientation = chunk.data(source)?.map(Orientation::read);
        }
        Ok(false)
    }

    fn finish(self, source: &Source, limits: &ImageLimits) -> Result<ContainerInfo, ImageError> {
        if !self.has_data {
            return Err(source.damaged());
        }
        limits.check_frames(self.frame_counter.frames)?;
        let (frames, animated) = match self.animation {
            Some(animation) => animation.finish().ok_or_else(|| source.damaged())?,
            None => (1, None),
        };
        let orientation = self.orientation.unwrap_or_default();
        let still = complete(orientation, self.still);
        let (plan, still) = match animated {
            Some(animation) => (complete(orientation, animation), Some(still)),
            None => (still, None),
        };
        // It is decoded row by row: some rows, and the decompressor's window.
        let row = u64::from(self.width) * u64::from(self.bits_per_pixel).div_ceil(8);
        Ok(ContainerInfo {
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

/// Adds signature, header and orientation before the body, and an end after it.
fn complete(orientation: Orientation, body: Plan) -> Plan {
    let mut plan = Plan::default();
    plan.copy(0..8 + FRAMING + 13);
    if let Some(tiff) = orientation.bare_tiff() {
        plan.write(&encode_chunk(*b"eXIf", &tiff));
    }
    plan.append(body);
    plan.write(&encode_chunk(*b"IEND", b""));
    plan
}
