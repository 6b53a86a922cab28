//! Scales pixels down.

use fast_image_resize::images::Image;
use fast_image_resize::{MulDiv, PixelType, ResizeOptions, Resizer};

use super::pixels::Pixels;

/// Scales pixels to this size with a Lanczos filter. Colours are weighted by their alpha, so that transparent ones
/// leave no edges. The pixels are changed in place before, since a copy of a large image would need as much memory
/// again.
pub(super) fn scale(pixels: Pixels, (width, height): (u32, u32)) -> Option<Pixels> {
    if (pixels.width, pixels.height) == (width, height) {
        return Some(pixels);
    }
    let pixel_type = match pixels.channels {
        1 => PixelType::U8,
        2 => PixelType::U8x2,
        3 => PixelType::U8x3,
        _ => PixelType::U8x4,
    };
    let (has_alpha, channels) = (pixels.has_alpha(), pixels.channels);
    let source = Image::from_vec_u8(pixels.width, pixels.height, pixels.bytes, pixel_type);
    let mut source = source.ok()?;
    let mut scaled = Image::new(width, height, pixel_type);
    let alpha = MulDiv::new();
    if has_alpha {
        alpha.multiply_alpha_inplace(&mut source).ok()?;
    }
    let options = ResizeOptions::new().use_alpha(false);
    Resizer::new().resize(&source, &mut scaled, &options).ok()?;
    drop(source);
    if has_alpha {
        alpha.divide_alpha_inplace(&mut scaled).ok()?;
    }
    Some(Pixels {
        width,
        height,
        channels,
        bytes: scaled.into_vec(),
    })
}
