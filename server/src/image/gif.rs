//! Walks the blocks of a GIF (87a and 89a), and plans which are served.
//!
//! Images, palettes, graphic controls and the number of loops are served; comments, texts and data of other
//! applications are not, nor is anything after the trailer.
//!
//! Browsers show as much of a GIF as they can read, so that much is served: up to the first invalid block, including
//! all of a frame that is incomplete, and with a trailer. Its frames are not decoded: an invalid code ends a frame and
//! not the image, so decoding would not show whether it can be displayed.

use std::ops::Range;

use super::container_info::{Coding, ContainerInfo};
use super::error::ImageError;
use super::limits::{FrameCounter, MIB};
use super::orientation::Orientation;
use super::plan::Plan;
use super::source::Source;
use crate::config::ImageLimits;

const IMAGE: u8 = 0x2c;
const EXTENSION: u8 = 0x21;
const TRAILER: u8 = 0x3b;

const GRAPHIC_CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;

/// Walks a GIF from its first byte.
pub(super) fn walk(source: &mut Source, limits: &ImageLimits) -> Result<ContainerInfo, ImageError> {
    let mut walk = Walk::begin(source, limits)?;
    loop {
        match walk.block(source, limits) {
            Ok(true) => {}
            Ok(false) | Err(ImageError::Damaged(_)) => return walk.finish(source),
            Err(error) => return Err(error),
        }
    }
}

#[derive(Debug)]
struct Walk {
    width: u32,
    height: u32,
    /// Where the global palette ends.
    head_end: u64,
    /// The last graphic control before the next image.
    control: Option<Range<u64>>,
    /// A number of loops that has not been written yet. The last one is used.
    loops: Option<[u8; 2]>,
    frame_counter: FrameCounter,
    body: Plan,
}

impl Walk {
    /// Reads header, screen and global palette.
    fn begin(source: &mut Source, limits: &ImageLimits) -> Result<Self, ImageError> {
        source.skip(6)?;
        let [width, height] = [source.array()?, source.array()?].map(u16::from_le_bytes);
        let [flags, _background, _aspect] = source.array()?;
        skip_palette(source, flags)?;
        let (width, height) = (width.into(), height.into());
        limits.check_size(width, height)?;
        Ok(Self {
            width,
            height,
            head_end: source.position(),
            control: None,
            loops: None,
            frame_counter: FrameCounter::default(),
            body: Plan::default(),
        })
    }

    /// Walks the next block, and returns whether another one may follow.
    fn block(&mut self, source: &mut Source, limits: &ImageLimits) -> Result<bool, ImageError> {
        let start = source.position();
        match source.byte()? {
            IMAGE => self.image(source, start, limits)?,
            EXTENSION => self.extension(source, start)?,
            // The trailer, or an invalid block, at which browsers stop.
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn image(
        &mut self,
        source: &mut Source,
        start: u64,
        limits: &ImageLimits,
    ) -> Result<(), ImageError> {
        let [x, y, width, height] = [
            source.array()?,
            source.array()?,
            source.array()?,
            source.array()?,
        ]
        .map(|bytes| u32::from(u16::from_le_bytes(bytes)));
        let flags = source.byte()?;
        skip_palette(source, flags)?;
        let _code_size = source.byte()?;
        if self.frame_counter.frames == 0 {
            // The screen is enlarged to fit the first frame. Later frames are clipped.
            self.width = self.width.max(x + width);
            self.height = self.height.max(y + height);
            limits.check_size(self.width, self.height)?;
        }
        self.frame_counter.add(width, height, limits)?;
        self.write_loops();
        if let Some(control) = self.control.take() {
            self.body.copy(control);
        }
        self.image_data(source, start)
    }

    /// Serves the image that began at `start` with its data blocks, which come next. If the file ends within a block,
    /// its length is reduced to what there is.
    fn image_data(&mut self, source: &mut Source, start: u64) -> Result<(), ImageError> {
        while source.left() > 0 {
            let at = source.position();
            let len = source.byte()?;
            if u64::from(len) > source.left() {
                let rest = source.position()..source.position() + source.left();
                self.body.copy(start..at);
                // Fits, since it is less than `len`.
                let short = u8::try_from(source.left()).unwrap_or(len);
                if short > 0 {
                    self.body.write(&[short]);
                    self.body.copy(rest);
                }
                self.body.write(&[0]);
                return source.skip(source.left());
            }
            source.skip(len.into())?;
            if len == 0 {
                self.body.copy(start..source.position());
                return Ok(());
            }
        }
        self.body.copy(start..source.position());
        self.body.write(&[0]);
        Ok(())
    }

    fn extension(&mut self, source: &mut Source, start: u64) -> Result<(), ImageError> {
        match source.byte()? {
            GRAPHIC_CONTROL => {
                let [len, .., end] = source.array::<6>()?;
                if len != 4 || end != 0 {
                    return Err(source.damaged());
                }
                self.control = Some(start..source.position());
                Ok(())
            }
            APPLICATION => self.application(source),
            _ => skip_blocks(source),
        }
    }

    /// Reads application data, of which only the number of loops is served.
    fn application(&mut self, source: &mut Source) -> Result<(), ImageError> {
        let len = source.byte()?;
        if len == 0 {
            return Ok(());
        }
        let name = source.bytes(len.into())?;
        let mut next = source.byte()?;
        let counts_loops = name == b"NETSCAPE2.0" || name == b"ANIMEXTS1.0";
        if counts_loops && next == 3 {
            let [kind, low, high, after] = source.array()?;
            if kind == 1 {
                self.loops = Some([low, high]);
            }
            next = after;
        }
        if next > 0 {
            source.skip(next.into())?;
            return skip_blocks(source);
        }
        Ok(())
    }

    fn write_loops(&mut self) {
        if let Some([low, high]) = self.loops.take() {
            self.body.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01");
            self.body.write(&[low, high, 0]);
        }
    }

    fn finish(mut self, source: &Source) -> Result<ContainerInfo, ImageError> {
        if self.width == 0 || self.height == 0 {
            return Err(source.damaged());
        }
        self.write_loops();
        let mut plan = Plan::default();
        plan.copy(0..6);
        for side in [self.width, self.height] {
            // Sides are below 2^16 with any limits.
            plan.write(&side.to_le_bytes()[..2]);
        }
        plan.copy(10..self.head_end);
        plan.append(self.body);
        plan.write(&[TRAILER]);
        Ok(ContainerInfo {
            width: self.width,
            height: self.height,
            orientation: Orientation::default(),
            frames: self.frame_counter.frames,
            // It is not decoded; a few buffers are enough.
            memory: MIB,
            plan,
            coding: Coding::Plain,
        })
    }
}

/// Skips the palette that the flags of a screen or image announce.
fn skip_palette(source: &mut Source, flags: u8) -> Result<(), ImageError> {
    if flags & 0x80 == 0 {
        return Ok(());
    }
    source.skip(3 << ((flags & 7) + 1))
}

/// Skips data blocks, including the empty one that ends them.
fn skip_blocks(source: &mut Source) -> Result<(), ImageError> {
    loop {
        match source.byte()? {
            0 => return Ok(()),
            len => source.skip(len.into())?,
        }
    }
}
