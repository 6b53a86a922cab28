//! Pictures: what an uploaded file is, whether it is whole and within limits, and what of it may be served.
//!
//! A picture's container is walked first, which gives its size, its frames, what memory its decoder will need, and a
//! plan of the bytes that may be served. The plan is carried out without decoding anything, and its result is walked
//! and decoded in turn: what is proven to be whole is what is served.
//!
//! The rule is that what browsers show is taken and looks the same, so a GIF, which they show as far as they can read
//! it, is served that far and not decoded.
//!
//! What is not served is what lies outside of the parts that hold coded pixels. Within them, a PNG may hold nothing
//! else, and is compressed anew if it does. The other three may. So bytes between the last pixel and the end of a scan
//! (JPEG), of an image's data blocks (GIF) or of its chunk (WebP) are served as they came, as are colour profiles. No browser shows or runs them: the type that is served is the one that was found.

mod child;
mod decode;
mod error;
mod fair;
mod format_name;
mod gif;
mod inspect;
mod jpeg;
mod limits;
mod orientation;
mod outline;
mod plan;
mod png;
mod pool;
mod profile;
mod sniff;
mod source;
mod webp;

pub use self::child::run::run as run_child;
pub use self::error::ImageError;
pub use self::inspect::{Inspected, Survey, inspect};
pub use self::limits::PICTURE_MEMORY;
pub use self::pool::{
    DECODES, DecodePool, PATIENCE, POOL_MEMORY, UPLOADS, UPLOADS_PER_ADDRESS, UploadPlace,
};
