//! The pages, and those that are shown on errors and while loading.

#[cfg(feature = "ssr")]
mod admin;
mod deleted;
mod failures;
mod home;
mod image;
#[cfg(feature = "ssr")]
mod refused;
#[cfg(feature = "ssr")]
mod rejected_field;
#[cfg(feature = "ssr")]
mod report;

#[cfg(feature = "ssr")]
pub use admin::{AdminPage, StorageUse};
pub use failures::NotFound;
pub use home::HomePage;
pub use image::ImagePage;
#[cfg(feature = "ssr")]
pub use refused::{MessageForm, Refused};
#[cfg(feature = "ssr")]
pub use rejected_field::RejectedField;
#[cfg(feature = "ssr")]
pub use report::ReportForm;
