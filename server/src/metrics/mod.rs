//! Durations and outcomes of the calls of a backend.
//!
//! Each part of the node registers its own metrics, in a file `metrics.rs` of its own. No label holds an id, an address
//! or a text from outside, and each has a fixed set of values, so that the number of series does not grow with use.
//! `docs/operations.md` lists all metrics.

mod calls;
mod register;

pub use calls::{CallMetrics, Outcome, duration_histogram};
pub use register::registered;
