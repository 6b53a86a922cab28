//! Puts a node together, runs it and looks after what it keeps.

pub mod backends;
pub mod check;
mod gauges;
pub mod logs;
pub mod metrics;
pub mod node;
mod run;
pub mod sweeper;

pub use run::{StartError, run};
