//! The orientation of an image: read from EXIF data, and written as a single tag.

use exif::{Exif, In, Reader, Tag, Value};

/// The EXIF orientation, 1 (as coded) to 8. 5 to 8 swap width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orientation(u8);

impl Default for Orientation {
    fn default() -> Self {
        Self(1)
    }
}

impl Orientation {
    /// Reads the orientation from EXIF data (a TIFF structure); 1 if it is missing or invalid.
    ///
    /// Like browsers, accepts a single SHORT only: an image that they do not rotate must not be measured as rotated.
    pub fn read(tiff: Vec<u8>) -> Self {
        let Some(exif) = parse(tiff) else {
            return Self::default();
        };
        match exif.get_field(Tag::Orientation, In::PRIMARY) {
            Some(field) => match &field.value {
                Value::Short(values) => match values[..] {
                    [value @ 1..=8] => Self(value.try_into().unwrap_or(1)),
                    _ => Self::default(),
                },
                _ => Self::default(),
            },
            None => Self::default(),
        }
    }

    /// Returns EXIF data with this orientation only; `None` if it is 1.
    pub fn bare_tiff(self) -> Option<[u8; 26]> {
        if self.0 == 1 {
            return None;
        }
        let mut tiff = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
        tiff[19] = self.0;
        Some(tiff)
    }

    /// Returns the displayed size of an image with this coded size.
    pub fn shown(self, width: u32, height: u32) -> (u32, u32) {
        if self.0 >= 5 {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Returns which pixel of an image with this coded size is displayed at this place.
    pub fn source(self, (x, y): (u32, u32), (width, height): (u32, u32)) -> (u32, u32) {
        let (right, bottom) = (width - 1, height - 1);
        match self.0 {
            2 => (right - x, y),
            3 => (right - x, bottom - y),
            4 => (x, bottom - y),
            5 => (y, x),
            6 => (y, bottom - x),
            7 => (right - y, bottom - x),
            8 => (right - y, x),
            _ => (x, y),
        }
    }
}

/// Cameras write EXIF data with many small errors, so as much as possible is read.
fn parse(tiff: Vec<u8>) -> Option<Exif> {
    Reader::new()
        .continue_on_error(true)
        .read_raw(tiff)
        .or_else(|error| error.distill_partial_result(|_| ()))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_tag_is_read_back() {
        for value in 2..=8 {
            let tiff = Orientation(value).bare_tiff().unwrap();
            assert_eq!(Orientation::read(tiff.to_vec()), Orientation(value));
        }
        assert!(Orientation(1).bare_tiff().is_none());
    }

    #[test]
    fn invalid_data_mean_the_coded_orientation() {
        let mut nine = Orientation(6).bare_tiff().unwrap();
        nine[19] = 9;
        let mut long = Orientation(6).bare_tiff().unwrap();
        long[13] = 4;
        for tiff in [&b""[..], b"MM", b"not a TIFF structure", &nine, &long] {
            assert_eq!(Orientation::read(tiff.to_vec()), Orientation::default());
        }
    }
}
