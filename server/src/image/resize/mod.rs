//! Makes a smaller picture of an image that was checked: decodes it whole, scales it, turns it as it is displayed, and
//! encodes it with its colour profile.
//!
//! What cannot be made with the right look is not made, and the image itself is shown instead: of unusual JPEGs (CMYK,
//! RGB, rare samplings), of colours that the new file cannot describe, of images that take too much memory. Nor is a
//! picture that would be no smaller than the image in bytes, or, in its own width, not half as large.

mod colours;
mod encode;
mod pixels;
mod read;
mod scale;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use app::model::{MediaType, fitted_size};

use self::pixels::{Picture, Pixels};
use super::container_info::{Coding, ContainerInfo};
use super::decode::timed::TimeBudget;
use super::error::{ImageError, unavailable};
use super::inspect::{Inspection, catch_panics};
use super::limits::{MIB, check_memory};
use super::orientation::Orientation;
use crate::config::{ImageLimits, PictureSpec};

/// An image from which a smaller picture can be made. It is not decoded yet.
#[derive(Debug)]
pub struct Resizing {
    image: Inspection,
    spec: PictureSpec,
    /// The smaller picture's size before it is turned.
    coded_size: (u32, u32),
    memory: u64,
}

impl Resizing {
    /// Walks the image. Blocks.
    ///
    /// # Errors
    /// [`ImageError::Damaged`] and [`ImageError::TooLarge`] also for an image of which no smaller picture is made.
    pub fn begin(input: &Path, limits: ImageLimits, spec: PictureSpec) -> Result<Self, ImageError> {
        let image = Inspection::begin(input, limits)?;
        let container = &image.container;
        let is_still = container.frames == 1 && image.media_type != MediaType::Gif;
        let (into, is_possible) = match spec {
            PictureSpec::MaxWidth(width) => ((width, u32::MAX), is_still),
            PictureSpec::Preview { into, .. } => (into, true),
            PictureSpec::Placeholder { into, .. } => (into, is_still),
        };
        if !is_possible || !has_usual_coding(container) {
            return Err(ImageError::Damaged(image.media_type));
        }
        let turn = |(width, height)| container.orientation.shown(width, height);
        let coded_size = turn(fitted_size(turn((container.width, container.height)), into));
        let memory = memory_needed(container, coded_size);
        check_memory(memory)?;
        Ok(Self {
            image,
            spec,
            coded_size,
            memory,
        })
    }

    /// The image's type.
    pub fn media_type(&self) -> MediaType {
        self.image.media_type
    }

    /// Returns the most memory that [`Resizing::finish`] needs by the image's headers, in bytes. At most
    /// [`IMAGE_MEMORY`](super::IMAGE_MEMORY).
    pub fn memory_needed(&self) -> u64 {
        self.memory
    }

    /// Writes the smaller picture to `output`, which is empty.
    ///
    /// # Errors
    /// As [`Resizing::begin`].
    pub fn finish(self, output: &mut File) -> Result<(), ImageError> {
        let media_type = self.image.media_type;
        let mut made = Vec::new();
        catch_panics(media_type, || {
            made = self.make()?;
            Ok(())
        })?;
        output.write_all(&made).map_err(|e| unavailable(&e))
    }

    fn make(&self) -> Result<Vec<u8>, ImageError> {
        let Inspection {
            file,
            media_type,
            container,
            limits,
        } = &self.image;
        let budget = TimeBudget::start(limits.time);
        let mut file = file.try_clone().map_err(|e| unavailable(&e))?;
        let size = file.seek(SeekFrom::End(0)).map_err(|e| unavailable(&e))?;
        file.rewind().map_err(|e| unavailable(&e))?;
        let picture = read::read(file, *media_type, container, budget);
        budget.check()?;
        let Picture { pixels, profile } = picture.ok_or(ImageError::Damaged(*media_type))?;
        let scaled = scale::scale(pixels, self.coded_size);
        budget.check()?;
        let turned = scaled.map(|pixels| turned(pixels, container.orientation));
        let profile = profile.as_deref();
        let is_unscaled = self.coded_size == (container.width, container.height);
        let made = turned.and_then(|pixels| match self.spec {
            PictureSpec::MaxWidth(_) if is_unscaled => encode::unscaled(size, pixels, profile),
            PictureSpec::MaxWidth(_) => encode::smaller_than(size, pixels, profile),
            PictureSpec::Preview { bytes, .. } => encode::preview(bytes, pixels, profile),
            PictureSpec::Placeholder { bytes, .. } => encode::placeholder(bytes, pixels),
        });
        budget.check()?;
        made.ok_or(ImageError::Damaged(*media_type))
    }
}

/// Whether decoders agree on what it looks like.
fn has_usual_coding(container: &ContainerInfo) -> bool {
    let Coding::Jpeg(coding) = &container.coding else {
        return true;
    };
    match &coding.frame.components[..] {
        [_] => true,
        [brightness, blue, red] => {
            coding.has_usual_colours
                && [brightness.id, blue.id, red.id] != *b"RGB"
                && brightness.horizontal <= 2
                && brightness.vertical <= brightness.horizontal
                && [blue, red].map(|it| it.horizontal * it.vertical) == [1, 1]
        }
        _ => false,
    }
}

/// Returns the most memory that decoding takes, or scaling, or encoding.
fn memory_needed(container: &ContainerInfo, coded: (u32, u32)) -> u64 {
    let (width, height) = (u64::from(container.width), u64::from(container.height));
    let (made_width, made_height) = (u64::from(coded.0), u64::from(coded.1));
    let (pixels, made) = (width * height, made_width * made_height);
    let channels = match &container.coding {
        Coding::Jpeg(coding) => coding.frame.components.len() as u64,
        _ => 4,
    };
    let decoding = match &container.coding {
        // The pixels, and what the decoder holds of the coefficients: all or some rows of them.
        Coding::Jpeg(coding) if coding.is_buffered => {
            pixels * channels + coding.frame.coefficients() * 2 + width * 256
        }
        Coding::Jpeg(_) => pixels * channels + width * 256,
        // Colour, alpha and code tables; of an animation also the canvas.
        Coding::WebP(_) if container.frames == 1 => pixels * 11 + 64 * MIB,
        Coding::WebP(_) => pixels * 16 + 64 * MIB,
        Coding::Png { .. } => pixels * channels + container.memory,
        // A frame and the canvas.
        Coding::Plain => pixels * 9,
    };
    // It is scaled down first, then across.
    let scaling = channels * (pixels + width * made_height + made);
    // The pixels, and the coefficients or a lossless stream of at most as many bytes again.
    let encoding = made * (channels * 2 + 5);
    decoding.max(scaling).max(encoding) + 2 * MIB
}

/// Turns pixels as the orientation says.
fn turned(pixels: Pixels, orientation: Orientation) -> Pixels {
    if orientation == Orientation::default() {
        return pixels;
    }
    let (width, height) = orientation.shown(pixels.width, pixels.height);
    let mut bytes = Vec::with_capacity(pixels.bytes.len());
    for y in 0..height {
        for x in 0..width {
            let (from_x, from_y) = orientation.source((x, y), (pixels.width, pixels.height));
            let at = (from_y as usize * pixels.width as usize + from_x as usize) * pixels.channels;
            bytes.extend_from_slice(&pixels.bytes[at..at + pixels.channels]);
        }
    }
    Pixels {
        width,
        height,
        bytes,
        ..pixels
    }
}
