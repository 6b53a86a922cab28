//! The pages, and those that are shown on errors and while loading.

mod failures;
mod home;
mod image;

pub use failures::NotFound;
#[cfg(feature = "ssr")]
pub use failures::Refused;
pub use home::HomePage;
pub use image::ImagePage;
