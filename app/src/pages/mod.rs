//! The pages, and what stands there when there is nothing to show.

mod failures;
mod home;
mod upload;

pub use failures::{NotFound, Refused, Unavailable};
pub use home::Home;
pub use upload::Upload;
