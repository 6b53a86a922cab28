//! Images: the type of an uploaded file, whether it is complete and within the limits, and what of it may be served.
//!
//! An image's container is walked first, which gives its size, its frames, the memory for decoding, and a plan of the
//! bytes that may be served. The file to be served is written by this plan without decoding anything. Then it is walked
//! and decoded itself, so that the served file is the one that was checked.
//!
//! What browsers show is accepted and looks the same. So a GIF, which they show as far as they can read it, is served
//! that far and not decoded.
//!
//! Only the parts that contain coded pixels are served, with colour profiles. A PNG whose image data contain anything
//! else is compressed again. In the other formats, bytes between the last pixel and the end of a scan (JPEG), of an
//! image's data blocks (GIF) or of its chunk (WebP) are served unchanged. Browsers neither show nor execute them, since
//! the file is served with the type that was found.

mod child;
mod container_info;
mod decode;
mod error;
mod format_name;
mod gif;
mod inspect;
mod jpeg;
mod limits;
mod orientation;
mod plan;
mod png;
mod pool;
mod profile;
mod resize;
mod sniff;
mod source;
mod webp;

pub use self::child::run::{inspect_in_child, resize_in_child};
pub use self::error::ImageError;
pub use self::inspect::{Inspected, Inspection, inspect};
pub use self::limits::IMAGE_MEMORY;
pub use self::pool::{
    DECODE_WAIT_TIMEOUT, DecodePool, MAX_CHECKS, MAX_UPLOADS, MAX_UPLOADS_PER_ADDRESS, POOL_MEMORY,
    Resizer, UploadSlot,
};
pub use self::resize::Resizing;
