//! The pages, and what stands there when there is nothing to show.

mod failures;
mod home;
mod image;

pub use failures::NotFound;
#[cfg(feature = "ssr")]
pub use failures::Refused;
pub use home::HomePage;
pub use image::ImagePage;
