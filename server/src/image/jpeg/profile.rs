//! The colour profile of a JPEG, which is stored in numbered parts.

use std::ops::Range;

use super::super::plan::Plan;
use super::super::profile::{HEADER, is_profile};

/// A part: its segment, its number, and its first bytes.
#[derive(Debug)]
struct Part {
    segment: Range<u64>,
    number: u8,
    count: u8,
    len: u64,
    start: Vec<u8>,
}

/// The parts found before the first scan. There are 255 numbers; a profile with more parts is not served.
#[derive(Debug, Default)]
pub(super) struct Profile {
    parts: Vec<Part>,
}

/// The label of a part's segment. It is followed by the part's number, and the number of parts.
pub(super) const LABEL: &[u8; 12] = b"ICC_PROFILE\0";

impl Profile {
    /// Adds a part of `len` bytes, which begins with `start`.
    pub fn add(&mut self, segment: Range<u64>, [number, count]: [u8; 2], len: u64, start: Vec<u8>) {
        if self.parts.len() <= 255 {
            self.parts.push(Part {
                segment,
                number,
                count,
                len,
                start,
            });
        }
    }

    /// How many first bytes of a part are needed.
    pub const START: u64 = HEADER as u64;

    /// Returns the segments, if all parts exist once and make a profile. Browsers ignore others.
    pub fn segments(mut self) -> Plan {
        self.parts.sort_by_key(|part| part.number);
        let count = self.parts.len();
        let is_valid = (1..=count).zip(&self.parts).all(|(number, part)| {
            usize::from(part.number) == number && usize::from(part.count) == count
        });
        let len = self.parts.iter().map(|part| part.len).sum();
        let start: Vec<u8> = self
            .parts
            .iter()
            .flat_map(|part| part.start.iter().copied())
            .take(HEADER)
            .collect();
        let mut plan = Plan::default();
        if is_valid && is_profile(&start, len) {
            for part in self.parts {
                plan.copy(part.segment);
            }
        }
        plan
    }
}
