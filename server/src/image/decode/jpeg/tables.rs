//! The tables that a JPEG's scans are decoded with.

use super::huffman::{Codes, Definition};
use super::standard;

const HUFFMAN: u8 = 0xc4;
const QUANTISATION: u8 = 0xdb;
const RESTART_INTERVAL: u8 = 0xdd;

/// The tables defined by the segments so far.
#[derive(Default)]
pub(super) struct Tables {
    /// By class (0 for DC) and number.
    huffman: [[Option<Definition>; 4]; 2],
    quantisation: [bool; 4],
    /// The number of MCUs between restarts; 0 for none.
    pub restart_interval: u32,
}

impl Tables {
    /// Adds the standard's tables where none are defined.
    pub fn add_standard(&mut self) {
        for (class, standard) in self.huffman.iter_mut().zip(standard::tables()) {
            for (table, standard) in class.iter_mut().zip(standard) {
                table.get_or_insert(standard);
            }
        }
    }

    /// Reads a segment, if it defines tables. Returns `None` if it is invalid.
    pub fn read(&mut self, marker: u8, content: &[u8]) -> Option<()> {
        match marker {
            HUFFMAN => self.read_huffman(content),
            QUANTISATION => self.read_quantisation(content),
            RESTART_INTERVAL => {
                let interval: [u8; 2] = content.try_into().ok()?;
                self.restart_interval = u16::from_be_bytes(interval).into();
                Some(())
            }
            _ => Some(()),
        }
    }

    fn read_huffman(&mut self, mut content: &[u8]) -> Option<()> {
        while !content.is_empty() {
            let (&[number], rest) = content.split_first_chunk()?;
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            let class = self.huffman.get_mut(usize::from(number >> 4))?;
            *class.get_mut(usize::from(number & 15))? = Some(Definition {
                counts: *counts,
                symbols: symbols.to_vec(),
            });
            content = rest;
        }
        Some(())
    }

    fn read_quantisation(&mut self, mut content: &[u8]) -> Option<()> {
        while let Some((number, rest)) = content.split_first() {
            let bytes = if number >> 4 == 0 { 64 } else { 128 };
            *self.quantisation.get_mut(usize::from(number & 15))? = true;
            content = rest.get(bytes..)?;
        }
        Some(())
    }

    /// Returns the codes of a DC table.
    pub fn dc(&self, number: u8) -> Option<Codes> {
        let definition = self.huffman[0].get(usize::from(number))?.as_ref()?;
        let is_valid = definition.symbols.iter().all(|symbol| *symbol < 16);
        is_valid.then(|| Codes::new(definition)).flatten()
    }

    /// Returns the codes of an AC table.
    pub fn ac(&self, number: u8) -> Option<Codes> {
        Codes::new(self.huffman[1].get(usize::from(number))?.as_ref()?)
    }

    /// Returns whether this quantisation table is defined.
    pub fn has_quantisation(&self, number: u8) -> bool {
        self.quantisation.get(usize::from(number)) == Some(&true)
    }
}
