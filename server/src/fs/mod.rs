//! A node's folders: locked, synced, or removed when the node ends.

pub mod folder;
pub mod free_space;
pub mod scratch;
pub mod write_check;
