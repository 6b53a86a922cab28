//! The colour profile of a JPEG, which comes in numbered parts.

use std::ops::Range;

use super::super::plan::Plan;
use super::super::profile::{HEADER, is_profile};

/// A part: its segment, its place, and its first bytes.
#[derive(Debug)]
struct Part {
    segment: Range<u64>,
    number: u8,
    of: u8,
    len: u64,
    start: Vec<u8>,
}

/// The parts that were met before the picture. There are 255 numbers; of what follows more parts, none is kept.
#[derive(Debug, Default)]
pub(super) struct Profile {
    parts: Vec<Part>,
}

/// Bytes before a part's data: label, number, and how many parts there are.
pub(super) const LABEL: &[u8; 12] = b"ICC_PROFILE\0";

impl Profile {
    /// Takes a part. `start` are the first bytes of its `len`.
    pub fn add(&mut self, segment: Range<u64>, [number, of]: [u8; 2], len: u64, start: Vec<u8>) {
        if self.parts.len() <= 255 {
            self.parts.push(Part {
                segment,
                number,
                of,
                len,
                start,
            });
        }
    }

    /// How much of a part has to be looked at.
    pub const START: u64 = HEADER as u64;

    /// The segments, if each part is there once and all together are a profile. Else browsers pass over them.
    pub fn segments(mut self) -> Plan {
        self.parts.sort_by_key(|part| part.number);
        let count = self.parts.len();
        let is_sound = (1..=count).zip(&self.parts).all(|(number, part)| {
            usize::from(part.number) == number && usize::from(part.of) == count
        });
        let len = self.parts.iter().map(|part| part.len).sum();
        let start: Vec<u8> = self
            .parts
            .iter()
            .flat_map(|part| part.start.iter().copied())
            .take(HEADER)
            .collect();
        let mut plan = Plan::default();
        if is_sound && is_profile(&start, len) {
            for part in self.parts {
                plan.copy(part.segment);
            }
        }
        plan
    }
}
