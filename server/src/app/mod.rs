//! Builds a node from its parts, runs it, and runs its background tasks.

mod address_blocks;
pub mod admin;
pub mod backends;
pub mod check;
mod gauges;
pub mod logs;
pub mod metrics;
pub mod node;
pub mod remover;
mod run;
mod storage_reader;
pub mod sweeper;

pub use run::{StartError, run};
