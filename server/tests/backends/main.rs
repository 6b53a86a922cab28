//! Whole nodes with shared backends, started from their settings.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test says by its name what it shows, and may panic"
)]

#[path = "../common/mod.rs"]
mod common;

mod presence;
mod rates;
mod s3;
