//! The walk over a GIF (87a and 89a): which of its blocks are served, and what decoding it will take.
//!
//! Served are images, palettes, graphic controls and the number of loops. Comments, texts and other applications' data
//! go, and so does what follows the trailer. A GIF without a trailer is refused: nothing tells it from one cut short.

use std::ops::Range;

use super::ImageError;
use super::limits::{Limits, MIB, Tally};
use super::orientation::Orientation;
use super::outline::{Coding, Outline};
use super::plan::Plan;
use super::source::Source;

/// The name of the format in what people are told.
pub(super) const NAME: &str = "GIF";

const IMAGE: u8 = 0x2c;
const EXTENSION: u8 = 0x21;
const TRAILER: u8 = 0x3b;

const PLAIN_TEXT: u8 = 0x01;
const GRAPHIC_CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;

/// Walks a GIF from its first byte.
pub(super) fn walk(source: &mut Source, limits: &Limits) -> Result<Outline, ImageError> {
    let mut walk = Walk::begin(source, limits)?;
    loop {
        let start = source.position();
        match source.byte()? {
            IMAGE => walk.image(source, start, limits)?,
            EXTENSION => walk.extension(source, start)?,
            TRAILER => return Ok(walk.finish(start)),
            _ => return Err(source.damaged()),
        }
        if walk.plan.is_overlong() {
            return Err(source.damaged());
        }
    }
}

#[derive(Debug)]
struct Walk {
    width: u32,
    height: u32,
    /// The graphic control of the image or text that comes next.
    control: Option<Range<u64>>,
    has_loops: bool,
    tally: Tally,
    plan: Plan,
}

impl Walk {
    /// Header, screen and global palette.
    fn begin(source: &mut Source, limits: &Limits) -> Result<Self, ImageError> {
        source.skip(6)?;
        let [width, height] = [source.array()?, source.array()?].map(u16::from_le_bytes);
        let [flags, _background, _aspect] = source.array()?;
        skip_palette(source, flags)?;
        if width == 0 || height == 0 {
            return Err(source.damaged());
        }
        let (width, height) = (width.into(), height.into());
        limits.check_size(width, height)?;
        let mut plan = Plan::default();
        plan.copy(0..source.position());
        Ok(Self {
            width,
            height,
            control: None,
            has_loops: false,
            tally: Tally::default(),
            plan,
        })
    }

    fn image(
        &mut self,
        source: &mut Source,
        start: u64,
        limits: &Limits,
    ) -> Result<(), ImageError> {
        let [x, y] = [source.array()?, source.array()?].map(u16::from_le_bytes);
        let [width, height] = [source.array()?, source.array()?].map(u16::from_le_bytes);
        let fits =
            |offset: u16, len: u16, whole| len > 0 && u32::from(offset) + u32::from(len) <= whole;
        if !fits(x, width, self.width) || !fits(y, height, self.height) {
            return Err(source.damaged());
        }
        self.tally.add(width.into(), height.into(), limits)?;
        let flags = source.byte()?;
        skip_palette(source, flags)?;
        let _code_size = source.byte()?;
        skip_blocks(source)?;
        if let Some(control) = self.control.take() {
            self.plan.copy(control);
        }
        self.plan.copy(start..source.position());
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
            PLAIN_TEXT => {
                self.control = None;
                skip_blocks(source)
            }
            _ => skip_blocks(source),
        }
    }

    /// Of applications' data, the number of loops is written anew.
    fn application(&mut self, source: &mut Source) -> Result<(), ImageError> {
        let len = source.byte()?;
        if len == 0 {
            return Ok(());
        }
        let name = source.bytes(len.into())?;
        let mut next = source.byte()?;
        let counts_loops = name == b"NETSCAPE2.0" || name == b"ANIMEXTS1.0";
        if counts_loops && next == 3 && !self.has_loops {
            let [kind, low, high, after] = source.array()?;
            if kind == 1 {
                self.plan.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01");
                self.plan.write(&[low, high, 0]);
                self.has_loops = true;
            }
            next = after;
        }
        if next > 0 {
            source.skip(next.into())?;
            return skip_blocks(source);
        }
        Ok(())
    }

    fn finish(mut self, trailer: u64) -> Outline {
        self.plan.copy(trailer..trailer + 1);
        Outline {
            width: self.width,
            height: self.height,
            orientation: Orientation::default(),
            frames: self.tally.frames,
            // It is decoded in small steps: the code table, and buffers.
            memory: MIB,
            plan: self.plan,
            coding: Coding::Plain,
        }
    }
}

/// Passes over the palette that the flags of a screen or image announce.
fn skip_palette(source: &mut Source, flags: u8) -> Result<(), ImageError> {
    if flags & 0x80 == 0 {
        return Ok(());
    }
    source.skip(3 << ((flags & 7) + 1))
}

/// Passes over data blocks, the empty one that ends them included.
fn skip_blocks(source: &mut Source) -> Result<(), ImageError> {
    loop {
        match source.byte()? {
            0 => return Ok(()),
            len => source.skip(len.into())?,
        }
    }
}
