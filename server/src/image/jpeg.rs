//! Walks the segments of a JPEG (ITU T.81), plans which are served, and finds out what reading it takes.
//!
//! Tables, frames and scans, a JFIF header without its thumbnail, the colour profile, Adobe's colour marker and a bare
//! orientation are served. Everything else is not: EXIF, XMP, IPTC, comments, previews, other makers' segments, and
//! what follows the end of the image (second images, videos, trailers).
//!
//! Some cameras write an image without its end marker, or with other data in its place. An end marker is added then, if
//! no data that add to the image can be missing.

pub(super) mod frame;
mod profile;
pub(super) mod scan;

use std::ops::Range;

use self::frame::Frame;
use self::profile::{LABEL, Profile};
use self::scan::{Progress, ScanHeader};
use super::container_info::{Coding, ContainerInfo, JpegCoding};
use super::error::{Excess, ImageError};
use super::limits::EXIF_BYTES;
use super::orientation::Orientation;
use super::plan::Plan;
use super::source::Source;
use crate::config::ImageLimits;

/// The most scans of an image. Progressive images have about ten; each costs a pass over the whole image.
const MAX_SCANS: u32 = 64;

const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// Walks a JPEG from its first byte.
pub(super) fn walk(source: &mut Source, limits: &ImageLimits) -> Result<ContainerInfo, ImageError> {
    if source.array()? != [0xff, START_OF_IMAGE] {
        return Err(source.damaged());
    }
    let mut walk = Walk::default();
    match walk.segments(source, limits) {
        Ok(()) => walk.finish(source),
        // The image may be complete up to the error.
        Err(ImageError::Damaged(_)) if walk.progress.is_complete() => walk.finish(source),
        Err(error) => Err(error),
    }
}

/// Returns the next marker and its position. Like decoders, skips other bytes before it.
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

/// Returns the range of a segment whose marker is at `at`, after reading its length. Like browsers, treats a length
/// below 2 as 2.
fn segment_range(source: &mut Source, at: u64) -> Result<Range<u64>, ImageError> {
    let length = u16::from_be_bytes(source.array()?).max(2);
    Ok(at..source.position() + u64::from(length) - 2)
}

#[derive(Debug, Default)]
struct Walk {
    frame: Option<Frame>,
    jfif: Option<[u8; 7]>,
    adobe: Option<[u8; 7]>,
    orientation: Option<Orientation>,
    profile: Profile,
    scans: u32,
    progress: Progress,
    body: Plan,
}

impl Walk {
    /// Walks every segment up to the end marker.
    fn segments(&mut self, source: &mut Source, limits: &ImageLimits) -> Result<(), ImageError> {
        let (mut marker, mut at) = next_marker(source)?;
        loop {
            (marker, at) = match marker {
                END_OF_IMAGE => return Ok(()),
                START_OF_SCAN => self.scan(source, at)?,
                // Markers without a segment: a misplaced restart, or TEM.
                0x01 | 0xd0..=0xd7 => next_marker(source)?,
                _ => {
                    self.segment(source, marker, at, limits)?;
                    if self.body.is_overlong() {
                        return Err(source.damaged());
                    }
                    next_marker(source)?
                }
            };
        }
    }

    fn segment(
        &mut self,
        source: &mut Source,
        marker: u8,
        at: u64,
        limits: &ImageLimits,
    ) -> Result<(), ImageError> {
        let range = segment_range(source, at)?;
        match marker {
            0xc0..=0xc2 => self.start_of_frame(source, marker, range, limits),
            // DHT, DQT and DRI.
            0xc4 | 0xdb | 0xdd => self.copy_segment(source, range),
            // Browsers use these only before the first scan.
            0xe0 if self.scans == 0 => self.jfif(source, range.end),
            0xe1 if self.scans == 0 => self.exif(source, range.end),
            0xe2 if self.scans == 0 => self.profile(source, range),
            0xee if self.scans == 0 => self.adobe(source, range.end),
            // Makers' segments, comments, and segments for other codings.
            0xcc | 0xdc | 0xe0..=0xef | 0xfe => skip_to(source, range.end),
            // Lossless, hierarchical and arithmetic coding, and undefined markers.
            _ => Err(source.damaged()),
        }
    }

    fn copy_segment(&mut self, source: &mut Source, range: Range<u64>) -> Result<(), ImageError> {
        skip_to(source, range.end)?;
        self.body.copy(range);
        Ok(())
    }

    fn start_of_frame(
        &mut self,
        source: &mut Source,
        marker: u8,
        range: Range<u64>,
        limits: &ImageLimits,
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

    /// Walks a scan: its header, and coded data up to the next marker other than a restart, which is returned.
    fn scan(&mut self, source: &mut Source, at: u64) -> Result<(u8, u64), ImageError> {
        let header = segment_range(source, at)?;
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(ImageError::TooLarge(Excess::Passes));
        }
        let content = source.bytes(header.end - source.position())?;
        let frame = self.frame.as_ref().ok_or_else(|| source.damaged())?;
        let scan = ScanHeader::parse(frame, &content).ok_or_else(|| source.damaged())?;
        self.progress.add(frame, &scan);
        let found = coded_data(source);
        let end = match &found {
            Ok((_, end)) => *end,
            Err(_) => source.position(),
        };
        self.body.copy(header.start..end);
        found
    }

    /// APP0: serves the version and pixel density of a JFIF header; the rest is a thumbnail.
    fn jfif(&mut self, source: &mut Source, end: u64) -> Result<(), ImageError> {
        if self.jfif.is_none() {
            self.jfif = labelled(source, end, *b"JFIF\0", 14)?;
        }
        skip_to(source, end)
    }

    /// APP14: the colour transform of the components. The last one is used.
    fn adobe(&mut self, source: &mut Source, end: u64) -> Result<(), ImageError> {
        if let Some(adobe) = labelled(source, end, *b"Adobe", 12)? {
            self.adobe = Some(adobe);
        }
        skip_to(source, end)
    }

    /// APP1: the orientation, from the image's first EXIF data.
    fn exif(&mut self, source: &mut Source, end: u64) -> Result<(), ImageError> {
        let left = end.saturating_sub(source.position());
        if left > 6 && left <= EXIF_BYTES && self.orientation.is_none() {
            let label: [u8; 6] = source.array()?;
            if label.starts_with(b"Exif\0") {
                let tiff = source.bytes(left - 6)?;
                self.orientation = Some(Orientation::read(tiff));
            }
        }
        skip_to(source, end)
    }

    /// APP2: a part of the colour profile, or other data such as an index of second images.
    fn profile(&mut self, source: &mut Source, range: Range<u64>) -> Result<(), ImageError> {
        let len = range.end.saturating_sub(source.position());
        if len > 14 && source.array()? == *LABEL {
            let part_number = source.array()?;
            let start = source.bytes(Profile::START.min(len - 14))?;
            skip_to(source, range.end)?;
            self.profile.add(range, part_number, len - 14, start);
            return Ok(());
        }
        skip_to(source, range.end)
    }

    fn finish(self, source: &mut Source) -> Result<ContainerInfo, ImageError> {
        let Some(frame) = self.frame.filter(|_| self.scans > 0) else {
            return Err(source.damaged());
        };
        let orientation = self.orientation.unwrap_or_default();
        let (width, height, memory) = (frame.width, frame.height, frame.memory());
        let mut plan = head(self.jfif, orientation, self.adobe);
        plan.append(self.profile.segments());
        plan.append(self.body);
        plan.write(&[0xff, END_OF_IMAGE]);
        Ok(ContainerInfo {
            width,
            height,
            orientation,
            frames: 1,
            memory,
            plan,
            coding: Coding::Jpeg(JpegCoding {
                is_buffered: frame.is_progressive || self.scans > 1,
                has_usual_colours: self.adobe.is_none_or(|[.., transform]| transform == 1),
                frame,
            }),
        })
    }
}

/// Plans what is written before the first copied segment.
fn head(jfif: Option<[u8; 7]>, orientation: Orientation, adobe: Option<[u8; 7]>) -> Plan {
    let mut head = Plan::default();
    head.write(&[0xff, START_OF_IMAGE]);
    if let Some(jfif) = jfif {
        head.write(b"\xff\xe0\0\x10JFIF\0");
        head.write(&jfif);
        head.write(&[0, 0]);
    }
    if let Some(tiff) = orientation.bare_tiff() {
        head.write(b"\xff\xe1\0\x22Exif\0\0");
        head.write(&tiff);
    }
    if let Some(adobe) = adobe {
        head.write(b"\xff\xee\0\x0eAdobe");
        head.write(&adobe);
    }
    head
}

/// Skips coded data with their restarts, and returns the marker after them.
fn coded_data(source: &mut Source) -> Result<(u8, u64), ImageError> {
    loop {
        let (marker, end) = next_marker(source)?;
        if !(0xd0..=0xd7).contains(&marker) {
            return Ok((marker, end));
        }
    }
}

/// Returns the seven bytes after a segment's label, if it has this label and is long enough.
fn labelled(
    source: &mut Source,
    end: u64,
    label: [u8; 5],
    len: u64,
) -> Result<Option<[u8; 7]>, ImageError> {
    if end.saturating_sub(source.position()) < len || source.array()? != label {
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
