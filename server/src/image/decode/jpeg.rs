//! Checks that a JPEG is complete: reads its coded data to the last MCU (T.81: minimum coded unit) of every scan as
//! browsers do (they all use libjpeg-turbo), without computing pixels.
//!
//! Errors within the data are ignored as browsers do, since they show the image. An image is incomplete if the last
//! MCU of a scan is missing, wholly or partly.

mod bits;
mod huffman;
mod scan;
mod standard;
mod tables;

use std::fs::File;
use std::io::BufReader;

use app::model::MediaType;

use self::bits::BitReader;
use self::scan::{NonzeroCoefficients, Scan};
use self::tables::Tables;
use super::timed::{TimeBudget, Timed};
use crate::image::error::ImageError;
use crate::image::jpeg::frame::Frame;

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// Reads the whole image, whose container was checked.
pub(super) fn decode(file: File, budget: TimeBudget) -> Result<(), ImageError> {
    let reader = BufReader::with_capacity(64 * 1024, Timed::new(file, budget));
    let mut bits = BitReader::new(reader);
    let mut tables = Tables::default();
    let mut image: Option<(Frame, NonzeroCoefficients)> = None;
    let damaged = ImageError::Damaged(MediaType::Jpeg);
    loop {
        let marker = bits.next_marker();
        match marker {
            // Also returned when the time is over.
            END_OF_IMAGE => return budget.check(),
            // A start of image, and markers without a segment.
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let content = bits.segment().map_err(|_| damaged.clone())?;
        match marker {
            0xc0..=0xc2 => {
                let frame = Frame::parse(marker, &content).ok_or(damaged.clone())?;
                if !frame.is_progressive {
                    tables.add_standard();
                }
                let nonzero = NonzeroCoefficients::new(&frame);
                image = Some((frame, nonzero));
            }
            START_OF_SCAN => {
                let (frame, nonzero) = image.as_mut().ok_or(damaged.clone())?;
                let scan = Scan::parse(frame, &content, &tables).ok_or(damaged.clone())?;
                if !scan.read(&mut bits, nonzero, budget)? {
                    return Err(damaged);
                }
            }
            _ => tables.read(marker, &content).ok_or(damaged.clone())?,
        }
    }
}
