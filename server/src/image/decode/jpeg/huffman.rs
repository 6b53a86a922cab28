//! Huffman codes of JPEGs (T.81, annex C).

use std::io::BufRead;

use super::bits::BitReader;

/// Codes of up to this many bits are looked up in one step.
const LOOKUP: u32 = 9;

/// A table as in the file: the number of codes of each length, and their symbols.
#[derive(Clone)]
pub(super) struct Definition {
    pub counts: [u8; 16],
    pub symbols: Vec<u8>,
}

/// A table for decoding.
pub(super) struct Codes {
    /// By the next bits: the code's symbol and length; the length is 0 for longer codes.
    short: Vec<(u8, u8)>,
    /// By length - 1: the first 16-bit number that no code up to this length is a prefix of.
    ends: [u32; 16],
    /// By length - 1: what to add to a code to get the index of its symbol.
    offsets: [i32; 16],
    symbols: Vec<u8>,
}

impl Codes {
    /// Returns `None` if there are more codes than the bits can distinguish.
    pub fn new(definition: &Definition) -> Option<Self> {
        let mut codes = Self {
            short: vec![(0, 0); 1 << LOOKUP],
            ends: [0; 16],
            offsets: [0; 16],
            symbols: definition.symbols.clone(),
        };
        let (mut code, mut index) = (0_u32, 0_usize);
        for (at, count) in definition.counts.iter().enumerate() {
            let length = u32::try_from(at).ok()? + 1;
            codes.offsets[at] = i32::try_from(index).ok()? - i32::try_from(code).ok()?;
            for symbol in definition.symbols.get(index..index + usize::from(*count))? {
                codes.enter_short(code, length, *symbol)?;
                code += 1;
            }
            index += usize::from(*count);
            if *count > 0 && code >= 1 << length {
                return None;
            }
            codes.ends[at] = code << (16 - length);
            code <<= 1;
        }
        Some(codes)
    }

    fn enter_short(&mut self, code: u32, length: u32, symbol: u8) -> Option<()> {
        let Some(free) = LOOKUP.checked_sub(length) else {
            return Some(());
        };
        let first = usize::try_from(code << free).ok()?;
        let entry = (symbol, u8::try_from(length).ok()?);
        self.short.get_mut(first..first + (1 << free))?.fill(entry);
        Some(())
    }

    /// Reads the next symbol. Like browsers, treats an invalid code as 17 bits with the symbol 0.
    #[inline]
    pub fn next(&self, bits: &mut BitReader<impl BufRead>) -> u8 {
        let peeked = bits.peek();
        let (symbol, length) = self.short[usize::from(peeked >> (16 - LOOKUP))];
        if length > 0 {
            bits.skip(length.into());
            return symbol;
        }
        self.next_long(bits, peeked.into())
    }

    fn next_long(&self, bits: &mut BitReader<impl BufRead>, peeked: u32) -> u8 {
        let lengths = (LOOKUP + 1..).zip(&self.ends[LOOKUP as usize..]);
        for (length, end) in lengths {
            if peeked < *end {
                bits.skip(length);
                let code = i32::try_from(peeked >> (16 - length)).unwrap_or(i32::MAX);
                let index = usize::try_from(code + self.offsets[length as usize - 1]);
                return index
                    .ok()
                    .and_then(|index| self.symbols.get(index))
                    .copied()
                    .unwrap_or(0);
            }
        }
        bits.skip(17);
        0
    }
}
