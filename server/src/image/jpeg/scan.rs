//! A JPEG's scan header: which components and coefficients the scan codes.

use super::frame::Frame;

/// The most blocks in an MCU of more than one component.
const MAX_MCU_BLOCKS: u32 = 10;

/// A start-of-scan segment (T.81, B.2.3) that browsers accept.
#[derive(Debug)]
pub(in crate::image) struct ScanHeader {
    pub parts: Vec<ScanPart>,
    /// The first coefficient of each block.
    pub spectral_start: u8,
    /// The last coefficient of each block, up to 63.
    pub spectral_end: u8,
    approx_high: u8,
    approx_low: u8,
}

/// A component in a scan.
#[derive(Debug)]
pub(in crate::image) struct ScanPart {
    /// Its index in the frame header.
    pub component: usize,
    /// The number of its DC table.
    pub dc: u8,
    /// The number of its AC table.
    pub ac: u8,
}

/// The Huffman tables that a scan needs.
#[derive(Debug)]
pub(in crate::image) struct Needed {
    pub dc: bool,
    pub ac: bool,
}

impl ScanHeader {
    /// Parses the segment's content.
    pub fn parse(frame: &Frame, content: &[u8]) -> Option<Self> {
        let (&[count], rest) = content.split_first_chunk()?;
        let (listed, &[spectral_start, spectral_end, precision]) = rest.split_last_chunk()?;
        if !(1..=4).contains(&count) || listed.len() != usize::from(count) * 2 {
            return None;
        }
        let mut parts: Vec<ScanPart> = Vec::new();
        for (index, part) in listed.chunks(2).enumerate() {
            // Several components may have the same id; they are used in order.
            let component = frame.components.iter().enumerate().position(|(at, c)| {
                c.id == part[0] && at >= index && parts.iter().all(|p| p.component != at)
            })?;
            parts.push(ScanPart {
                component,
                dc: part[1] >> 4,
                ac: part[1] & 15,
            });
        }
        let header = Self {
            parts,
            spectral_start,
            spectral_end,
            approx_high: precision >> 4,
            approx_low: precision & 15,
        };
        (header.is_small(frame) && (!frame.is_progressive || header.is_progression()))
            .then_some(header)
    }

    /// Returns whether the scan adds bits to coefficients of earlier scans.
    pub fn refines(&self) -> bool {
        self.approx_high > 0
    }

    /// Returns which tables the components need.
    pub fn needs(&self, is_progressive: bool) -> Needed {
        Needed {
            dc: !is_progressive || self.spectral_start == 0 && self.approx_high == 0,
            ac: !is_progressive || self.spectral_start > 0,
        }
    }

    fn is_small(&self, frame: &Frame) -> bool {
        let blocks = |part: &ScanPart| {
            let component = &frame.components[part.component];
            component.horizontal * component.vertical
        };
        self.parts.len() == 1 || self.parts.iter().map(blocks).sum::<u32>() <= MAX_MCU_BLOCKS
    }

    fn is_progression(&self) -> bool {
        let band = if self.spectral_start == 0 {
            self.spectral_end == 0
        } else {
            self.spectral_start <= self.spectral_end
                && self.spectral_end < 64
                && self.parts.len() == 1
        };
        band && (self.approx_high == 0 || self.approx_low + 1 == self.approx_high)
            && self.approx_low <= 13
    }
}

/// Which bits of which coefficients have been coded so far.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// By component: the lowest bit of each coefficient that was coded.
    known: Vec<[Option<u8>; 64]>,
}

impl Progress {
    pub fn add(&mut self, frame: &Frame, scan: &ScanHeader) {
        self.known.resize(frame.components.len(), [None; 64]);
        let range = if frame.is_progressive {
            usize::from(scan.spectral_start)..=usize::from(scan.spectral_end)
        } else {
            0..=63
        };
        let approx_low = if frame.is_progressive {
            scan.approx_low
        } else {
            0
        };
        for part in &scan.parts {
            self.known[part.component][range.clone()].fill(Some(approx_low));
        }
    }

    /// Returns whether no later scan can add to the image.
    pub fn is_complete(&self) -> bool {
        !self.known.is_empty()
            && self
                .known
                .iter()
                .flatten()
                .all(|approx_low| *approx_low == Some(0))
    }
}
