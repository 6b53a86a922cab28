//! A Tonesa node: HTTP API, server-rendered pages, WebSocket hub and storage. `main.rs` is the command line around it;
//! tests start nodes in-process.
//!
//! Each layer imports only from those below it: `app`; `http`; `hub`; then `websocket`, `broker`, `store`, `blob` and
//! `image` side by side; then `admission`, `metrics`, `config`, `fs`, `ids` and `clock`; then `panics`,
//! `random` and `sync`.

pub mod admission;
pub mod app;
pub mod blob;
pub mod broker;
pub mod clock;
pub mod config;
pub mod fs;
pub mod http;
pub mod hub;
pub mod ids;
pub mod image;
pub mod metrics;
mod panics;
pub mod random;
pub mod store;
mod sync;
pub mod websocket;
