//! The child's reports to the node.

use app::model::MediaType;
use serde::{Deserialize, Serialize};

use crate::image::error::ImageError;
use crate::image::inspect::Inspected;

/// A report, which is one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The headers are within the limits.
    Headers(HeaderInfo),
    /// The image is complete, and the file to be served is written.
    Inspected(Inspected),
    /// The smaller picture is written.
    Resized,
    /// The image is not accepted, or no smaller picture can be made of it.
    Refused(ImageError),
}

/// The data of the image's headers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(in crate::image) struct HeaderInfo {
    pub(super) media_type: MediaType,
    /// The most memory that decoding needs, in bytes.
    pub memory: u64,
}
