//! The pages, and those that are shown on errors and while loading.

mod deleted;
mod failures;
mod home;
mod image;
#[cfg(feature = "ssr")]
mod refused;

pub use failures::NotFound;
pub use home::HomePage;
pub use image::ImagePage;
#[cfg(feature = "ssr")]
pub use refused::{MessageForm, Refused};
