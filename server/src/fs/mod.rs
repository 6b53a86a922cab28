//! A node's folders: locked, synced, or removed when the node ends.

pub mod folder;
pub mod scratch;
pub mod write_check;
