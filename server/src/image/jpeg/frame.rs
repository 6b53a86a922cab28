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
    /// Whether scans refine one another.
    pub is_progressive: bool,
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

    /// Whether decoding the brightness alone reads the coded data of the colours too: not if there is no brightness,
    /// which `is_rgb` tells of the colour marker. And of pictures with colours halved in height alone, the decoder then
    /// reads more than there is.
    pub fn is_grey_enough(&self, is_rgb: bool) -> bool {
        let is_rgb = is_rgb || self.components.iter().map(|c| c.id).eq(*b"RGB");
        let (across, down) = self.sampling();
        match self.components.len() {
            1 => true,
            3 => !is_rgb && (across > 1 || down == 1),
            _ => false,
        }
    }

    /// Bytes that decoding needs at most: pixels, and all coefficients at once where scans complete one another.
    /// `is_rgb` tells that the colour marker says so.
    pub fn memory(&self, is_rgb: bool) -> u64 {
        let pixel_bytes = if self.is_grey_enough(is_rgb) { 1 } else { 3 };
        let pixels = u64::from(self.width) * u64::from(self.height) * pixel_bytes;
        // What the decoder holds of one row of units.
        let row = u64::from(self.width) * 1024;
        if self.is_progressive || self.has_partial_scans {
            pixels + row + self.coefficients() * 2
        } else {
            pixels + row
        }
    }

    fn coefficients(&self) -> u64 {
        let (across, down) = self.sampling();
        let units =
            u64::from(self.width.div_ceil(across * 8)) * u64::from(self.height.div_ceil(down * 8));
        let blocks: u64 = self.components.iter().map(Component::blocks).sum();
        units * blocks * 64
    }

    /// The finest sampling of any component, across and down.
    fn sampling(&self) -> (u32, u32) {
        self.components
            .iter()
            .fold((1, 1), |(across, down), component| {
                (
                    across.max(component.horizontal),
                    down.max(component.vertical),
                )
            })
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
