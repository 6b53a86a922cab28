//! Proves that a JPEG is whole: its coded data are read to the last coded unit of every scan, as browsers read them
//! (they all use libjpeg-turbo), and no pixel is computed.
//!
//! What is wrong within the data is passed over as browsers do: they show it. A picture is cut off if the last unit of
//! a scan is missing, in part or as a whole.

mod bits;
mod huffman;
mod scan;
mod standard;
mod tables;

use std::fs::File;
use std::io::BufReader;

use self::bits::Bits;
use self::scan::{History, Scan};
use self::tables::Tables;
use super::timed::{Budget, Timed};
use crate::image::error::ImageError;
use crate::image::format_name::JPEG;
use crate::image::jpeg::frame::Frame;

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// Reads the whole picture, whose container is known to be sound.
pub(super) fn decode(file: File, budget: Budget) -> Result<(), ImageError> {
    let reader = BufReader::with_capacity(64 * 1024, Timed::new(file, budget));
    let mut bits = Bits::new(reader);
    let mut tables = Tables::default();
    let mut picture: Option<(Frame, History)> = None;
    let damaged = ImageError::Damaged(JPEG);
    loop {
        let marker = bits.next_marker();
        match marker {
            // It stands for the end of the time too.
            END_OF_IMAGE => return budget.check(),
            // Of a picture, and markers without a segment.
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
                let history = History::new(&frame);
                picture = Some((frame, history));
            }
            START_OF_SCAN => {
                let (frame, history) = picture.as_mut().ok_or(damaged.clone())?;
                let scan = Scan::parse(frame, &content, &tables).ok_or(damaged.clone())?;
                if !scan.read(&mut bits, history, budget)? {
                    return Err(damaged);
                }
            }
            _ => tables.take(marker, &content).ok_or(damaged.clone())?,
        }
    }
}
