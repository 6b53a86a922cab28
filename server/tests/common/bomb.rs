//! An image that is a small file, but makes its decoder use 1.3 GB.

/// Writes bits in the order in which VP8L reads them.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().unwrap();
            *last |= u8::from(value >> bit & 1 == 1) << (self.used % 8);
            self.used += 1;
        }
    }

    /// Writes a code of one symbol.
    fn put_single(&mut self, symbol: u32) {
        self.put(0b101, 3);
        self.put(symbol, 8);
    }

    /// Writes a code of eleven symbols with lengths 1 to 10, for which the decoder keeps a table of 4 KiB.
    fn put_long(&mut self) {
        self.put(0, 1);
        self.put(10, 4);
        // Lengths of the codes for lengths, in the order 17, 18, 0, 1 … 5, 16, 6 … 10.
        for length in [0, 0, 0, 3, 3, 3, 3, 3, 0, 3, 4, 4, 4, 4] {
            self.put(length, 3);
        }
        self.put(1, 1);
        self.put(1, 3);
        self.put(9, 4);
        // Six codes of three bits and four of four, first bit first.
        for length in (1..=10_u32).chain([10]) {
            let (code, count) = if length <= 6 {
                (length - 1, 3)
            } else {
                (12 + length - 7, 4)
            };
            self.put(code.reverse_bits() >> (32 - count), count);
        }
    }
}

/// Makes a WebP of 4 MB with 65,536 groups of five prefix codes, which are read before the first pixel.
pub fn webp() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x2f, 8);
    bits.put(15, 14);
    bits.put(15, 14);
    bits.put(0, 4);
    // No transform, no colour cache, but groups of codes, chosen by an image whose every pixel is 65,535.
    bits.put(0b100, 3);
    bits.put(0, 3);
    bits.put(0, 1);
    for symbol in [255, 255, 0, 0, 0] {
        bits.put_single(symbol);
    }
    for _ in 0..65_536 {
        for _ in 0..5 {
            bits.put_long();
        }
    }
    let mut webp = b"RIFF".to_vec();
    let length = u32::try_from(bits.bytes.len()).unwrap();
    let padding = length % 2;
    webp.extend((4 + 8 + length + padding).to_le_bytes());
    webp.extend(b"WEBPVP8L");
    webp.extend(length.to_le_bytes());
    webp.extend(&bits.bytes);
    webp.resize(webp.len() + padding as usize, 0);
    webp
}
