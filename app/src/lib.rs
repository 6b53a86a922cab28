//! What Tonesa's server and browser share: the wire vocabulary, the pages and their components, and the browser's
//! side of the socket. One crate, features `ssr` (server) and `hydrate` (browser).

pub mod event;
pub mod live;
pub mod model;
pub mod pages;
pub mod problem;
pub mod source;
pub mod uploading;

mod browser;
mod components;
#[cfg(feature = "ssr")]
mod document;
mod erased;
#[cfg(feature = "hydrate")]
mod hydrate;
mod json;
#[cfg(feature = "ssr")]
mod share;

#[cfg(feature = "ssr")]
pub use document::{Document, refused_document};
#[cfg(feature = "hydrate")]
pub use hydrate::{home as hydrate_home, upload as hydrate_upload};
