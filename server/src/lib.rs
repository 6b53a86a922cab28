//! A Tonesa node: HTTP API, server-rendered pages, socket hub and storage. `main.rs` only starts it; tests start it
//! in-process.

pub mod blob;
pub mod broker;
pub mod clock;
pub mod folder;
pub mod hub;
pub mod ids;
pub mod image;
pub mod posting;
pub mod store;
