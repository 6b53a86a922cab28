//! The walk over an extended WebP: alpha, animation, metadata.

use super::bitstream::Bitstream;
use super::chunk::Chunk;
use super::{Frame, length, outline, riff};
use crate::image::ImageError;
use crate::image::limits::{Limits, Tally, check_profile};
use crate::image::outline::Outline;
use crate::image::plan::Plan;
use crate::image::source::Source;

const PROFILE_FLAG: u8 = 0x20;
const ALPHA_FLAG: u8 = 0x10;
const ANIMATION_FLAG: u8 = 0x02;

/// A container with features: alpha, animation, metadata.
pub(super) fn walk(
    source: &mut Source,
    header: &Chunk,
    end: u64,
    limits: &Limits,
) -> Result<Outline, ImageError> {
    if header.len() < 10 {
        return Err(source.damaged());
    }
    let [flags, ..] = source.array::<4>()?;
    let [width, height] = [u24(source)? + 1, u24(source)? + 1];
    limits.check_size(width, height)?;
    header.leave(source, end)?;
    let mut walk = Walk::new(width, height, flags);
    while source.position() < end {
        let chunk = Chunk::next(source, end)?;
        walk.chunk(source, &chunk, limits)?;
        chunk.leave(source, end)?;
    }
    walk.finish(source)
}

#[derive(Debug)]
struct Walk {
    width: u32,
    height: u32,
    is_animated: bool,
    /// The features of what is served.
    flags: u8,
    has_animation_header: bool,
    /// The alpha chunk of the image that comes next.
    alpha: Option<Chunk>,
    frames: Vec<Frame>,
    tally: Tally,
    body: Plan,
}

impl Walk {
    fn new(width: u32, height: u32, flags: u8) -> Self {
        // A still picture's alpha is seen when its image is; an animation may promise it for later frames.
        let is_animated = flags & ANIMATION_FLAG != 0;
        let flags = if is_animated {
            flags & (ANIMATION_FLAG | ALPHA_FLAG)
        } else {
            0
        };
        Self {
            width,
            height,
            is_animated,
            flags,
            has_animation_header: false,
            alpha: None,
            frames: Vec::new(),
            tally: Tally::default(),
            body: Plan::default(),
        }
    }

    fn chunk(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        limits: &Limits,
    ) -> Result<(), ImageError> {
        match &chunk.kind {
            b"ICCP" if self.flags & PROFILE_FLAG == 0 && self.frames.is_empty() => {
                check_profile(chunk.len())?;
                self.flags |= PROFILE_FLAG;
                chunk.keep(&mut self.body);
            }
            b"ANIM" if self.is_animated && !self.has_animation_header => {
                if chunk.len() != 6 {
                    return Err(source.damaged());
                }
                self.has_animation_header = true;
                chunk.keep(&mut self.body);
            }
            b"ANMF" if self.is_animated => self.animation_frame(source, chunk, limits)?,
            b"ALPH" if !self.is_animated && self.alpha.is_none() => {
                self.alpha = Some(chunk.clone());
            }
            b"VP8 " | b"VP8L" if !self.is_animated && self.frames.is_empty() => {
                let mut body = std::mem::take(&mut self.body);
                let (width, height) = (self.width, self.height);
                self.image(source, chunk, (width, height), limits, &mut body)?;
                self.body = body;
            }
            _ => {}
        }
        Ok(())
    }

    /// An image of the size that its parent promises, with the alpha chunk before it.
    fn image(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        size: (u32, u32),
        limits: &Limits,
        plan: &mut Plan,
    ) -> Result<(), ImageError> {
        let bits = Bitstream::read(source, chunk)?;
        if (bits.width, bits.height) != size {
            return Err(source.damaged());
        }
        self.tally.add(bits.width, bits.height, limits)?;
        // A lossless image has its own alpha.
        let alpha = self.alpha.take().filter(|_| !bits.is_lossless);
        if let Some(alpha) = &alpha {
            alpha.keep(plan);
        }
        chunk.keep(plan);
        if alpha.is_some() || bits.has_alpha {
            self.flags |= ALPHA_FLAG;
        }
        let alpha = alpha.map(|chunk| chunk.data);
        self.frames.push(bits.frame(chunk.data.clone(), alpha));
        Ok(())
    }

    /// A frame: where it lies on the canvas, and an image in chunks of its own.
    fn animation_frame(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        limits: &Limits,
    ) -> Result<(), ImageError> {
        if chunk.len() < 16 {
            return Err(source.damaged());
        }
        let header = source.array::<16>()?;
        let [x, y, width, height] = [0, 3, 6, 9]
            .map(|at| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], 0]));
        let (width, height) = (width + 1, height + 1);
        if x * 2 + width > self.width || y * 2 + height > self.height {
            return Err(source.damaged());
        }
        let before = self.frames.len();
        let mut plan = Plan::default();
        self.alpha = None;
        while source.position() < chunk.data.end && self.frames.len() == before {
            let part = Chunk::next(source, chunk.data.end)?;
            match &part.kind {
                b"ALPH" => self.alpha = Some(part.clone()),
                b"VP8 " | b"VP8L" => {
                    self.image(source, &part, (width, height), limits, &mut plan)?;
                }
                _ => {}
            }
            part.leave(source, chunk.data.end)?;
        }
        if self.frames.len() == before {
            return Err(source.damaged());
        }
        self.body.write(b"ANMF");
        self.body.write(&length(16 + plan.len()));
        self.body.write(&header);
        self.body.append(plan);
        Ok(())
    }

    fn finish(self, source: &Source) -> Result<Outline, ImageError> {
        if self.frames.is_empty() || self.is_animated != self.has_animation_header {
            return Err(source.damaged());
        }
        let mut plan = Plan::default();
        plan.write(b"VP8X\x0a\0\0\0");
        plan.write(&[self.flags, 0, 0, 0]);
        for side in [self.width - 1, self.height - 1] {
            plan.write(&side.to_le_bytes()[..3]);
        }
        plan.append(self.body);
        outline((self.width, self.height), self.frames, riff(plan))
    }
}

fn u24(source: &mut Source) -> Result<u32, ImageError> {
    let [low, middle, high] = source.array()?;
    Ok(u32::from_le_bytes([low, middle, high, 0]))
}
