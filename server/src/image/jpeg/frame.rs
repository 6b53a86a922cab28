//! A JPEG's frame header: its size, its components, and the memory for reading it.

use crate::image::limits::MIB;

/// A start-of-frame segment (T.81, B.2.2) of a kind that browsers show.
#[derive(Debug)]
pub(in crate::image) struct Frame {
    /// The coded width, in pixels.
    pub width: u32,
    /// The coded height, in pixels.
    pub height: u32,
    /// Whether scans refine one another.
    pub is_progressive: bool,
    /// One for grey, three for colour, four for CMYK.
    pub components: Vec<Component>,
}

/// One of the image's colour planes.
#[derive(Debug)]
pub(in crate::image) struct Component {
    pub id: u8,
    /// Blocks of 8 × 8 in each MCU, across.
    pub horizontal: u32,
    /// Blocks of 8 × 8 in each MCU, down.
    pub vertical: u32,
    /// The number of its quantisation table.
    pub quantisation: u8,
}

impl Frame {
    /// Parses the segment's content, which begins with the precision.
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
            is_progressive: marker == 0xc2,
            components,
        };
        let is_sized = frame.width > 0 && frame.height > 0;
        let is_displayed = is_complete && is_sized && matches!(count, 1 | 3 | 4);
        (is_displayed && frame.has_whole_samplings()).then_some(frame)
    }

    /// Returns the number of components: 1 for grey, 3 for colour, 4 for CMYK.
    pub fn component_count(&self) -> u8 {
        self.components.len().try_into().unwrap_or(u8::MAX)
    }

    /// Whether each component can be scaled to the image's size by repeating its samples.
    fn has_whole_samplings(&self) -> bool {
        let (across, down) = self.sampling();
        self.components
            .iter()
            .all(|c| across.is_multiple_of(c.horizontal) && down.is_multiple_of(c.vertical))
    }

    /// Returns the most memory for reading it, in bytes: buffers, and eight bytes per block of a progressive image.
    pub fn memory(&self) -> u64 {
        let blocks = self.coefficients() / 64;
        MIB + if self.is_progressive { blocks * 8 } else { 0 }
    }

    /// Returns the number of coefficients of all components, including those that complete the last MCUs.
    pub fn coefficients(&self) -> u64 {
        let blocks = |index| {
            let (across, down) = self.padded_blocks(index);
            across * down
        };
        (0..self.components.len()).map(blocks).sum::<u64>() * 64
    }

    /// Returns the number of MCUs of a scan of all components, across and down.
    pub fn mcus(&self) -> (u64, u64) {
        let (across, down) = self.sampling();
        (
            self.width.div_ceil(across * 8).into(),
            self.height.div_ceil(down * 8).into(),
        )
    }

    /// Returns the number of blocks of one component, across and down.
    pub fn blocks(&self, index: usize) -> (u64, u64) {
        let (across, down) = self.sampling();
        let Component {
            horizontal,
            vertical,
            ..
        } = self.components[index];
        (
            (self.width * horizontal).div_ceil(across * 8).into(),
            (self.height * vertical).div_ceil(down * 8).into(),
        )
    }

    /// Returns the number of blocks of one component, across and down, including those that complete the last MCUs.
    pub fn padded_blocks(&self, index: usize) -> (u64, u64) {
        let (across, down) = self.mcus();
        let component = &self.components[index];
        (
            across * u64::from(component.horizontal),
            down * u64::from(component.vertical),
        )
    }

    /// Returns the finest sampling of any component, across and down.
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
        let &[id, sampling, quantisation] = bytes else {
            return None;
        };
        let (horizontal, vertical) = (u32::from(sampling >> 4), u32::from(sampling & 15));
        let is_valid = (1..=4).contains(&horizontal) && (1..=4).contains(&vertical);
        is_valid.then_some(Self {
            id,
            horizontal,
            vertical,
            quantisation,
        })
    }
}
