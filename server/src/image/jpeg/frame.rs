//! A JPEG's frame header: size, components, and what memory its decoding takes.

/// A start-of-frame segment (T.81, B.2.2).
#[derive(Debug)]
pub(super) struct Frame {
    /// Pixels across as coded.
    pub width: u32,
    /// Pixels down as coded.
    pub height: u32,
    /// Whether a scan holds some of the components only.
    pub has_partial_scans: bool,
    is_progressive: bool,
    components: Vec<Component>,
}

#[derive(Debug, PartialEq)]
struct Component {
    id: u8,
    horizontal: u32,
    vertical: u32,
}

impl Frame {
    /// Reads the segment's content, from its precision on.
    pub fn parse(marker: u8, content: &[u8]) -> Option<Self> {
        let (&[8, h1, h0, w1, w0, count], rest) = content.split_first_chunk()? else {
            return None;
        };
        let components: Vec<Component> = rest.chunks(3).filter_map(Component::parse).collect();
        let is_complete =
            rest.len() == usize::from(count) * 3 && components.len() * 3 == rest.len();
        let frame = Self {
            width: u32::from(u16::from_be_bytes([w1, w0])),
            height: u32::from(u16::from_be_bytes([h1, h0])),
            has_partial_scans: false,
            is_progressive: marker == 0xc2,
            components,
        };
        let is_sized = frame.width > 0 && frame.height > 0;
        (is_complete && is_sized && matches!(count, 1 | 3 | 4)).then_some(frame)
    }

    /// How many components there are: 1 grey, 3 colour, 4 for print.
    pub fn component_count(&self) -> u8 {
        self.components.len().try_into().unwrap_or(u8::MAX)
    }

    /// Bytes that decoding needs at most: pixels, and all coefficients at once where scans refine one another.
    /// `is_rgb` tells that the colour marker says so.
    pub fn memory(&self, is_rgb: bool) -> u64 {
        let is_rgb = is_rgb || self.components.iter().map(|c| c.id).eq(*b"RGB");
        // The decoder is asked for the grey of a colour picture: its coded data are read all the same.
        let pixel_bytes = match self.components.len() {
            4 => 3,
            3 if is_rgb => 3,
            _ => 1,
        };
        let pixels = u64::from(self.width) * u64::from(self.height) * pixel_bytes;
        let across = self
            .components
            .iter()
            .map(|c| c.horizontal)
            .max()
            .unwrap_or(1);
        let down = self
            .components
            .iter()
            .map(|c| c.vertical)
            .max()
            .unwrap_or(1);
        let units =
            u64::from(self.width.div_ceil(across * 8)) * u64::from(self.height.div_ceil(down * 8));
        let blocks: u64 = self.components.iter().map(Component::blocks).sum();
        let coefficients = units * blocks * 64 * 2;
        // The decoder doubles what it holds of pictures sampled in height alone.
        let doubled = if across == 1 && down > 1 { 2 } else { 1 };
        let rows = u64::from(self.width) * 1024;
        if self.is_progressive || self.has_partial_scans {
            pixels + coefficients * doubled + rows
        } else {
            pixels + rows
        }
    }
}

impl Component {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let &[id, sampling, _table] = bytes else {
            return None;
        };
        let (horizontal, vertical) = (u32::from(sampling >> 4), u32::from(sampling & 15));
        let is_valid = (1..=4).contains(&horizontal) && (1..=4).contains(&vertical);
        is_valid.then_some(Self {
            id,
            horizontal,
            vertical,
        })
    }

    /// Blocks of 8 × 8 in each coded unit.
    fn blocks(&self) -> u64 {
        u64::from(self.horizontal * self.vertical)
    }
}
