//! The walk over a JPEG (ITU T.81): which of its segments are served, and what decoding it will take.
//!
//! Served are the tables, frames and scans, a JFIF header without its thumbnail, the colour profile, Adobe's colour
//! marker, and a bare orientation. Everything else goes: EXIF, XMP, IPTC, comments, previews, other makers' segments,
//! and whatever lies behind the end of the picture (second images, videos, trailers).

mod frame;

use std::ops::Range;

use self::frame::Frame;
use super::ImageError;
use super::limits::{EXIF_BYTES, Limits, check_profile};
use super::orientation::Orientation;
use super::outline::{Coding, Outline};
use super::plan::Plan;
use super::source::Source;

/// The name of the format in what people are told.
pub(super) const NAME: &str = "JPEG";

/// Scans of one picture. Progressive ones have about ten; each costs the decoder a pass over the whole picture.
pub(super) const SCANS: u32 = 64;

const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// Walks a JPEG from its first byte.
pub(super) fn walk(source: &mut Source, limits: &Limits) -> Result<Outline, ImageError> {
    if source.array()? != [0xff, START_OF_IMAGE] {
        return Err(source.damaged());
    }
    let mut walk = Walk::default();
    let (mut marker, mut at) = next_marker(source)?;
    loop {
        (marker, at) = match marker {
            END_OF_IMAGE => return walk.finish(source, at),
            START_OF_IMAGE => return Err(source.damaged()),
            START_OF_SCAN => walk.scan(source, at)?,
            // Markers without a segment: a stray restart, or TEM.
            0x01 | 0xd0..=0xd7 => next_marker(source)?,
            _ => {
                walk.segment(source, marker, at, limits)?;
                if walk.body.is_overlong() {
                    return Err(source.damaged());
                }
                next_marker(source)?
            }
        };
    }
}

/// The next marker and where it begins. What lies before it is passed over, as every decoder does.
fn next_marker(source: &mut Source) -> Result<(u8, u64), ImageError> {
    loop {
        source.skip_past(0xff)?;
        let mut marker = source.byte()?;
        while marker == 0xff {
            marker = source.byte()?;
        }
        if marker != 0 {
            return Ok((marker, source.position() - 2));
        }
    }
}

/// The bytes of a segment whose marker begins at `at`; its length has just been read.
fn segment_range(source: &mut Source, at: u64) -> Result<Range<u64>, ImageError> {
    match u16::from_be_bytes(source.array()?) {
        0 | 1 => Err(source.damaged()),
        length => Ok(at..at + 2 + u64::from(length)),
    }
}

#[derive(Debug, Default)]
struct Walk {
    frame: Option<Frame>,
    jfif: Option<[u8; 7]>,
    adobe: Option<[u8; 7]>,
    orientation: Option<Orientation>,
    profile_bytes: u64,
    scans: u32,
    last_scan_end: u64,
    body: Plan,
}

impl Walk {
    fn segment(
        &mut self,
        source: &mut Source,
        marker: u8,
        at: u64,
        limits: &Limits,
    ) -> Result<(), ImageError> {
        let range = segment_range(source, at)?;
        match marker {
            0xc0..=0xc2 => self.start_of_frame(source, marker, range, limits),
            // DHT, DQT and DRI.
            0xc4 | 0xdb | 0xdd => self.keep(source, range),
            // Lossless, hierarchical and arithmetic coding, which browsers do not show either.
            0xc3 | 0xc5..=0xcf => Err(source.damaged()),
            0xe0 => self.jfif(source, range.end),
            0xe1 => self.exif(source, range.end),
            0xe2 => self.profile(source, range),
            0xee => self.adobe(source, range.end),
            _ => skip_to(source, range.end),
        }
    }

    fn keep(&mut self, source: &mut Source, range: Range<u64>) -> Result<(), ImageError> {
        skip_to(source, range.end)?;
        self.body.copy(range);
        Ok(())
    }

    fn start_of_frame(
        &mut self,
        source: &mut Source,
        marker: u8,
        range: Range<u64>,
        limits: &Limits,
    ) -> Result<(), ImageError> {
        let content = source.bytes(range.end - source.position())?;
        let frame = Frame::parse(marker, &content).ok_or_else(|| source.damaged())?;
        if self.frame.is_some() {
            return Err(source.damaged());
        }
        limits.check_size(frame.width, frame.height)?;
        self.frame = Some(frame);
        self.body.copy(range);
        Ok(())
    }

    /// A scan: its header, and coded data up to the next marker other than a restart, which is returned.
    fn scan(&mut self, source: &mut Source, at: u64) -> Result<(u8, u64), ImageError> {
        let header = segment_range(source, at)?;
        let Some(frame) = &mut self.frame else {
            return Err(source.damaged());
        };
        self.scans += 1;
        if self.scans > SCANS {
            return Err(ImageError::TooLarge(
                "This JPEG image is coded in more passes than can be shared. Try to save it again."
                    .to_owned(),
            ));
        }
        frame.has_partial_scans |= source.byte()? != frame.component_count();
        skip_to(source, header.end)?;
        loop {
            let (marker, end) = next_marker(source)?;
            if !(0xd0..=0xd7).contains(&marker) {
                self.body.copy(header.start..end);
                self.last_scan_end = end;
                return Ok((marker, end));
            }
        }
    }

    /// APP0: of a JFIF header, its version and pixel density; the rest is a thumbnail.
    fn jfif(&mut self, source: &mut Source, end: u64) -> Result<(), ImageError> {
        if self.jfif.is_none() {
            self.jfif = labelled(source, end, *b"JFIF\0")?;
        }
        skip_to(source, end)
    }

    /// APP14: what colours the components are.
    fn adobe(&mut self, source: &mut Source, end: u64) -> Result<(), ImageError> {
        if self.adobe.is_none() {
            self.adobe = labelled(source, end, *b"Adobe")?;
        }
        skip_to(source, end)
    }

    /// APP1: the orientation, if it is the picture's first EXIF data and comes before the scans.
    fn exif(&mut self, source: &mut Source, end: u64) -> Result<(), ImageError> {
        let left = end.saturating_sub(source.position());
        if left > 6 && left <= EXIF_BYTES && self.orientation.is_none() && self.scans == 0 {
            let label: [u8; 6] = source.array()?;
            if label.starts_with(b"Exif\0") {
                let tiff = source.bytes(left - 6)?;
                self.orientation = Some(Orientation::read(tiff));
            }
        }
        skip_to(source, end)
    }

    /// APP2: a part of the colour profile, or something else, such as an index of second images.
    fn profile(&mut self, source: &mut Source, range: Range<u64>) -> Result<(), ImageError> {
        if range.end.saturating_sub(source.position()) > 14 && source.array()? == *b"ICC_PROFILE\0"
        {
            self.profile_bytes += range.end - range.start;
            check_profile(self.profile_bytes)?;
            return self.keep(source, range);
        }
        skip_to(source, range.end)
    }

    fn finish(self, source: &mut Source, end: u64) -> Result<Outline, ImageError> {
        let Some(frame) = self.frame.as_ref().filter(|_| self.scans > 0) else {
            return Err(source.damaged());
        };
        let orientation = self.orientation.unwrap_or_default();
        let is_rgb = self.adobe.is_some_and(|[.., transform]| transform == 0);
        let (width, height, memory) = (frame.width, frame.height, frame.memory(is_rgb));
        // A progressive picture of one scan is fine, but its decoder insists on a marker just behind it.
        let can_extend = self.scans > 1 || !frame.is_progressive;
        let coding = Coding::Jpeg {
            last_scan_end: can_extend.then_some(self.last_scan_end),
            is_grey_enough: frame.is_grey_enough(is_rgb),
        };
        let mut plan = self.head(orientation);
        plan.append(self.body);
        plan.copy(end..end + 2);
        Ok(Outline {
            width,
            height,
            orientation,
            frames: 1,
            memory,
            plan,
            coding,
        })
    }

    /// What is written anew, before the first segment that is copied.
    fn head(&self, orientation: Orientation) -> Plan {
        let mut head = Plan::default();
        head.write(&[0xff, START_OF_IMAGE]);
        if let Some(jfif) = self.jfif {
            head.write(b"\xff\xe0\0\x10JFIF\0");
            head.write(&jfif);
            head.write(&[0, 0]);
        }
        if let Some(tiff) = orientation.bare_tiff() {
            head.write(b"\xff\xe1\0\x22Exif\0\0");
            head.write(&tiff);
        }
        if let Some(adobe) = self.adobe {
            head.write(b"\xff\xee\0\x0eAdobe");
            head.write(&adobe);
        }
        head
    }
}

/// The seven bytes behind a segment's label, if it bears this one.
fn labelled(source: &mut Source, end: u64, label: [u8; 5]) -> Result<Option<[u8; 7]>, ImageError> {
    if end.saturating_sub(source.position()) < 12 || source.array()? != label {
        return Ok(None);
    }
    source.array().map(Some)
}

fn skip_to(source: &mut Source, end: u64) -> Result<(), ImageError> {
    match end.checked_sub(source.position()) {
        Some(count) => source.skip(count),
        None => Err(source.damaged()),
    }
}
