//! Walks an extended WebP: alpha, animation, metadata.

use super::bitstream::BitstreamHeader;
use super::chunk::Chunk;
use super::container::{describe, length, riff};
use super::frame::Frame;
use crate::config::ImageLimits;
use crate::image::container_info::ContainerInfo;
use crate::image::error::ImageError;
use crate::image::limits::FrameCounter;
use crate::image::plan::Plan;
use crate::image::profile::{HEADER, is_profile};
use crate::image::source::Source;

const PROFILE_FLAG: u8 = 0x20;
const ALPHA_FLAG: u8 = 0x10;
const ANIMATION_FLAG: u8 = 0x02;

/// Including those of EXIF and XMP, which are not served. Browsers show nothing if there are others.
const KNOWN_FLAGS: u8 = PROFILE_FLAG | ALPHA_FLAG | ANIMATION_FLAG | 0x0c;

/// The length of an animation's parameters in bytes.
const ANIMATION_HEADER: u64 = 6;

/// Walks a container with features: alpha, animation, metadata.
pub(super) fn walk(
    source: &mut Source,
    header: &Chunk,
    end: u64,
    limits: &ImageLimits,
) -> Result<ContainerInfo, ImageError> {
    if header.len() < 10 {
        return Err(source.damaged());
    }
    let [flags, ..] = source.array::<4>()?;
    if flags & !KNOWN_FLAGS != 0 {
        return Err(source.damaged());
    }
    let [width, height] = [u24(source)? + 1, u24(source)? + 1];
    limits.check_size(width, height)?;
    header.skip_rest(source, end)?;
    let mut walk = Walk::new(width, height, flags);
    while source.position() < end {
        let chunk = Chunk::next(source, end)?;
        walk.chunk(source, chunk, end, limits)?;
    }
    walk.finish(source)
}

#[derive(Debug)]
struct Walk {
    width: u32,
    height: u32,
    /// The features that the file announces.
    flags: u8,
    has_profile: bool,
    has_animation_header: bool,
    frames: Vec<Frame>,
    frame_counter: FrameCounter,
    body: Plan,
}

/// The chunks of one image.
#[derive(Debug)]
struct Image {
    alpha: Option<Chunk>,
    pixels: Chunk,
    bits: BitstreamHeader,
}

impl Walk {
    fn new(width: u32, height: u32, flags: u8) -> Self {
        Self {
            width,
            height,
            flags,
            has_profile: false,
            has_animation_header: false,
            frames: Vec::new(),
            frame_counter: FrameCounter::default(),
            body: Plan::default(),
        }
    }

    fn is_animated(&self) -> bool {
        self.flags & ANIMATION_FLAG != 0
    }

    fn chunk(
        &mut self,
        source: &mut Source,
        chunk: Chunk,
        end: u64,
        limits: &ImageLimits,
    ) -> Result<(), ImageError> {
        match &chunk.kind {
            b"VP8X" => return Err(source.damaged()),
            b"ICCP" if self.expects_profile() => self.profile(source, &chunk)?,
            b"ANIM" if !self.has_animation_header => self.animation_header(source, &chunk)?,
            b"ANMF" => self.animation_frame(source, &chunk, limits)?,
            b"ALPH" | b"VP8 " | b"VP8L" => return self.still(source, chunk, end, limits),
            _ => {}
        }
        chunk.skip_rest(source, end)
    }

    fn expects_profile(&self) -> bool {
        self.flags & PROFILE_FLAG != 0 && !self.has_profile && self.frames.is_empty()
    }

    /// Serves a colour profile. Other data in its place are not served, since browsers ignore them.
    fn profile(&mut self, source: &mut Source, chunk: &Chunk) -> Result<(), ImageError> {
        let start = source.bytes(chunk.len().min(HEADER as u64))?;
        if is_profile(&start, chunk.len()) {
            self.has_profile = true;
            chunk.append_to(&mut self.body);
        }
        Ok(())
    }

    fn animation_header(&mut self, source: &mut Source, chunk: &Chunk) -> Result<(), ImageError> {
        if chunk.len() < ANIMATION_HEADER {
            return Err(source.damaged());
        }
        self.has_animation_header = true;
        let start = chunk.data.start;
        self.body.write(b"ANIM\x06\0\0\0");
        self.body.copy(start..start + ANIMATION_HEADER);
        Ok(())
    }

    /// Walks the only image of a still WebP. Alpha that is not announced is not displayed.
    fn still(
        &mut self,
        source: &mut Source,
        first: Chunk,
        end: u64,
        limits: &ImageLimits,
    ) -> Result<(), ImageError> {
        if self.is_animated() || self.has_animation_header || !self.frames.is_empty() {
            return Err(source.damaged());
        }
        let mut image = Image::read(source, first, end)?;
        if (image.bits.width, image.bits.height) != (self.width, self.height) {
            return Err(source.damaged());
        }
        image.alpha.take_if(|_| self.flags & ALPHA_FLAG == 0);
        let mut plan = Plan::default();
        self.image(image, limits, &mut plan)?;
        self.body.append(plan);
        Ok(())
    }

    fn image(
        &mut self,
        image: Image,
        limits: &ImageLimits,
        plan: &mut Plan,
    ) -> Result<(), ImageError> {
        let Image {
            alpha,
            pixels,
            bits,
        } = image;
        self.frame_counter.add(bits.width, bits.height, limits)?;
        if let Some(alpha) = &alpha {
            alpha.append_to(plan);
        }
        pixels.append_to(plan);
        self.frames
            .push(bits.frame(pixels.data, alpha.map(|chunk| chunk.data)));
        Ok(())
    }

    /// Walks a frame: its position on the canvas, and an image in chunks of its own. A frame without an image is left
    /// out, and its size is set to the image's.
    fn animation_frame(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        limits: &ImageLimits,
    ) -> Result<(), ImageError> {
        if chunk.len() < 16 || !self.has_animation_header || !self.is_animated() {
            return Err(source.damaged());
        }
        let mut header = source.array::<16>()?;
        let Some(image) = Image::of_frame(source, chunk.data.end)? else {
            return Ok(());
        };
        let [x, y] =
            [0, 3].map(|at| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], 0]));
        let (width, height) = (image.bits.width, image.bits.height);
        if x * 2 + width > self.width || y * 2 + height > self.height {
            return Err(source.damaged());
        }
        for (at, side) in [(6, width - 1), (9, height - 1)] {
            header[at..at + 3].copy_from_slice(&side.to_le_bytes()[..3]);
        }
        let mut plan = Plan::default();
        self.image(image, limits, &mut plan)?;
        self.body.write(b"ANMF");
        self.body.write(&length(16 + plan.len()));
        self.body.write(&header);
        self.body.append(plan);
        Ok(())
    }

    fn finish(self, source: &Source) -> Result<ContainerInfo, ImageError> {
        if self.frames.is_empty() {
            return Err(source.damaged());
        }
        let profile = if self.has_profile { PROFILE_FLAG } else { 0 };
        let flags = self.flags & (ALPHA_FLAG | ANIMATION_FLAG) | profile;
        let mut plan = Plan::default();
        plan.write(b"VP8X\x0a\0\0\0");
        plan.write(&[flags, 0, 0, 0]);
        for side in [self.width - 1, self.height - 1] {
            plan.write(&side.to_le_bytes()[..3]);
        }
        plan.append(self.body);
        describe((self.width, self.height), self.frames, riff(plan))
    }
}

impl Image {
    /// Reads an image whose first chunk has been begun: pixels, or alpha directly followed by lossy pixels. Browsers
    /// accept no other order.
    fn read(source: &mut Source, first: Chunk, parent_end: u64) -> Result<Self, ImageError> {
        let (alpha, pixels) = if first.kind == *b"ALPH" {
            first.skip_rest(source, parent_end)?;
            (Some(first), Chunk::next(source, parent_end)?)
        } else {
            (None, first)
        };
        match &pixels.kind {
            b"VP8 " => {}
            b"VP8L" if alpha.is_none() => {}
            _ => return Err(source.damaged()),
        }
        let bits = BitstreamHeader::read(source, &pixels)?;
        pixels.skip_rest(source, parent_end)?;
        Ok(Self {
            alpha,
            pixels,
            bits,
        })
    }

    /// Reads the image of a frame, if it has one. Only unknown chunks may follow it.
    fn of_frame(source: &mut Source, end: u64) -> Result<Option<Self>, ImageError> {
        let mut image = None;
        let mut is_first = true;
        while source.position() < end {
            let part = Chunk::next(source, end)?;
            match &part.kind {
                b"ALPH" | b"VP8 " | b"VP8L" if is_first => {
                    image = Some(Self::read(source, part, end)?);
                }
                b"ALPH" | b"VP8 " | b"VP8L" => return Err(source.damaged()),
                _ => part.skip_rest(source, end)?,
            }
            is_first = false;
        }
        Ok(image)
    }
}

fn u24(source: &mut Source) -> Result<u32, ImageError> {
    let [low, middle, high] = source.array()?;
    Ok(u32::from_le_bytes([low, middle, high, 0]))
}
