//! Reads all blocks of one scan of a JPEG.

use std::io::BufRead;

use super::bits::BitReader;
use super::huffman::Codes;
use super::tables::Tables;
use crate::image::decode::timed::TimeBudget;
use crate::image::error::ImageError;
use crate::image::jpeg::frame::Frame;
use crate::image::jpeg::scan::ScanHeader;

/// Which coefficients of each block are not zero, by component and as a bit each: refining scans depend on it. Eight
/// bytes per block of a progressive image; empty for others.
pub(super) struct NonzeroCoefficients(Vec<Vec<u64>>);

impl NonzeroCoefficients {
    pub fn new(frame: &Frame) -> Self {
        let blocks = |index| {
            let (across, down) = frame.padded_blocks(index);
            usize::try_from(across * down).unwrap_or(0)
        };
        let count = if frame.is_progressive {
            usize::from(frame.component_count())
        } else {
            0
        };
        Self((0..count).map(|index| vec![0; blocks(index)]).collect())
    }
}

/// A component of a scan.
struct Part {
    component: usize,
    /// Blocks in each MCU, across and down.
    across: u64,
    down: u64,
    /// Blocks in a row of the component, including those that complete the last MCU.
    stride: u64,
    dc: Option<Codes>,
    ac: Option<Codes>,
}

/// A scan that browsers accept, and the tables for it.
pub(super) struct Scan {
    header: ScanHeader,
    is_progressive: bool,
    parts: Vec<Part>,
    /// MCUs, across and down.
    across: u64,
    down: u64,
    restart_interval: u32,
    /// How many of the next blocks have no more coefficients in this scan (T.81, G.1.2.2: EOBRUN).
    eob_run: u32,
}

impl Scan {
    /// Returns `None` if browsers refuse the scan.
    pub fn parse(frame: &Frame, content: &[u8], tables: &Tables) -> Option<Self> {
        let header = ScanHeader::parse(frame, content)?;
        let is_single = header.parts.len() == 1;
        let mut parts = Vec::new();
        for part in &header.parts {
            let component = &frame.components[part.component];
            if !tables.has_quantisation(component.quantisation) {
                return None;
            }
            let needed = header.needs(frame.is_progressive);
            parts.push(Part {
                component: part.component,
                across: if is_single {
                    1
                } else {
                    component.horizontal.into()
                },
                down: if is_single {
                    1
                } else {
                    component.vertical.into()
                },
                stride: frame.padded_blocks(part.component).0,
                dc: if needed.dc {
                    Some(tables.dc(part.dc)?)
                } else {
                    None
                },
                ac: if needed.ac {
                    Some(tables.ac(part.ac)?)
                } else {
                    None
                },
            });
        }
        let (across, down) = match header.parts[..] {
            [ref only] => frame.blocks(only.component),
            _ => frame.mcus(),
        };
        Some(Self {
            is_progressive: frame.is_progressive,
            parts,
            across,
            down,
            restart_interval: tables.restart_interval,
            eob_run: 0,
            header,
        })
    }

    /// Reads every MCU, and returns whether the last one was complete.
    pub fn read<R: BufRead>(
        mut self,
        bits: &mut BitReader<R>,
        nonzero: &mut NonzeroCoefficients,
        budget: TimeBudget,
    ) -> Result<bool, ImageError> {
        bits.restart();
        let mut until_restart = self.restart_interval;
        let mut restarts = 0;
        for y in 0..self.down {
            budget.check()?;
            for x in 0..self.across {
                if self.restart_interval > 0 {
                    if until_restart == 0 {
                        self.eob_run = 0;
                        bits.pass_restart(restarts);
                        restarts = (restarts + 1) % 8;
                        until_restart = self.restart_interval;
                    }
                    until_restart -= 1;
                } else if bits.ran_out() {
                    return Ok(false);
                }
                if !bits.ran_out() {
                    self.read_mcu(x, y, bits, nonzero);
                }
            }
        }
        Ok(!bits.ran_out())
    }

    #[inline]
    fn read_mcu<R: BufRead>(
        &mut self,
        x: u64,
        y: u64,
        bits: &mut BitReader<R>,
        nonzero: &mut NonzeroCoefficients,
    ) {
        for part in &self.parts {
            for row in 0..part.down {
                for column in 0..part.across {
                    if !self.is_progressive {
                        read_block(part, bits);
                        continue;
                    }
                    let block = (y * part.down + row) * part.stride + x * part.across + column;
                    let nonzero = usize::try_from(block)
                        .ok()
                        .and_then(|block| nonzero.0.get_mut(part.component)?.get_mut(block));
                    if let Some(nonzero) = nonzero {
                        read_pass(&self.header, &mut self.eob_run, part, bits, nonzero);
                    }
                }
            }
        }
    }
}

/// Reads a block of an image that is not progressive.
#[inline]
fn read_block<R: BufRead>(part: &Part, bits: &mut BitReader<R>) {
    let (Some(dc), Some(ac)) = (&part.dc, &part.ac) else {
        return;
    };
    let size = dc.next(bits);
    bits.take(size.into());
    let mut at = 1;
    while at < 64 {
        let symbol = ac.next(bits);
        let (run, size) = (symbol >> 4, symbol & 15);
        if size == 0 && run < 15 {
            return;
        }
        at += run + 1;
        bits.take(size.into());
    }
}

/// Reads what a progressive scan adds to a block.
#[inline]
fn read_pass<R: BufRead>(
    header: &ScanHeader,
    eob_run: &mut u32,
    part: &Part,
    bits: &mut BitReader<R>,
    nonzero: &mut u64,
) {
    match (&part.dc, &part.ac) {
        (Some(dc), _) => {
            let size = dc.next(bits);
            bits.take(size.into());
        }
        (None, None) => {
            bits.take(1);
        }
        (None, Some(ac)) if header.refines() => {
            refine(header, eob_run, ac, bits, nonzero);
        }
        (None, Some(ac)) => first_pass(header, eob_run, ac, bits, nonzero),
    }
}

fn first_pass<R: BufRead>(
    header: &ScanHeader,
    eob_run: &mut u32,
    ac: &Codes,
    bits: &mut BitReader<R>,
    nonzero: &mut u64,
) {
    if *eob_run > 0 {
        *eob_run -= 1;
        return;
    }
    let mut at = header.spectral_start;
    while at <= header.spectral_end {
        let symbol = ac.next(bits);
        let (run, size) = (symbol >> 4, symbol & 15);
        if size == 0 && run < 15 {
            *eob_run = (1 << run) + bits.take(run.into()) - 1;
            return;
        }
        at += run;
        if size > 0 {
            bits.take(size.into());
            *nonzero |= 1 << at.min(63);
        }
        at += 1;
    }
}

/// Reads a refining scan: each coefficient that is not zero yet has one more bit, in between the new ones.
fn refine<R: BufRead>(
    header: &ScanHeader,
    eob_run: &mut u32,
    ac: &Codes,
    bits: &mut BitReader<R>,
    nonzero: &mut u64,
) {
    let mut at = header.spectral_start;
    if *eob_run == 0 {
        while at <= header.spectral_end {
            let symbol = ac.next(bits);
            let (mut run, size) = (symbol >> 4, symbol & 15);
            if size > 0 {
                bits.take(1);
            } else if run < 15 {
                *eob_run = (1 << run) + bits.take(run.into());
                break;
            }
            while at <= header.spectral_end {
                if *nonzero >> at & 1 == 1 {
                    bits.take(1);
                } else if run == 0 {
                    break;
                } else {
                    run -= 1;
                }
                at += 1;
            }
            if size > 0 {
                *nonzero |= 1 << at.min(63);
            }
            at += 1;
        }
    }
    if *eob_run > 0 {
        let left =
            (*nonzero >> at.min(63) << at.min(63)) & (u64::MAX >> (63 - header.spectral_end));
        if at <= header.spectral_end {
            for _ in 0..left.count_ones() {
                bits.take(1);
            }
        }
        *eob_run -= 1;
    }
}
