//! The part of Tonesa that server and browser share: the protocol's types, the pages and their components, and the
//! browser's side of the socket. One crate with the features `ssr` (server) and `hydrate` (browser).

// Views are nested types.
#![recursion_limit = "256"]

pub mod event;
pub mod live;
pub mod model;
pub mod page_data;
pub mod problem;
pub mod settings;
pub mod texts;
pub mod uploading;

mod app;
mod browser;
mod components;
mod erased;
#[cfg(feature = "ssr")]
mod link_preview;
mod pages;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "hydrate")]
mod start;

pub use app::App;
#[cfg(feature = "ssr")]
pub use link_preview::{Subject, upload_title};
#[cfg(feature = "ssr")]
pub use pages::{AdminPage, MessageForm, RejectedField, ReportForm, StorageUse};
#[cfg(feature = "ssr")]
pub use shell::{admin_page, problem_page, report_page, shell};
#[cfg(feature = "hydrate")]
pub use start::start;
