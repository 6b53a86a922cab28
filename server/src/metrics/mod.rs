//! How long a backend's calls take, and how they end.
//!
//! What a node tells about itself is registered by the part that it is about, in a file `metrics.rs` of its own. No label
//! holds an id, an address or a text that came from outside, and each has a fixed set of values, so that the number of
//! series does not grow with use. `docs/operations.md` lists them all.

mod calls;
mod register;

pub use calls::{Calls, Outcome, latencies};
pub use register::registered;
