//! The pages, and those that are shown on errors and while loading.

mod failures;
mod home;
mod image;

#[cfg(feature = "ssr")]
pub use failures::Refused;
pub use failures::{Loading, NotFound, Unavailable};
pub use home::HomePage;
pub use image::ImagePage;
