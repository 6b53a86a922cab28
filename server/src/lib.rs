//! A Tonesa node: HTTP API, server-rendered pages, socket hub and storage. `main.rs` only starts it; tests start it
//! in-process.
//!
//! Each layer uses only what stands below it: `app`, `http`, `hub`, then `websocket`, `broker`, `store`, `blob` and
//! `image` side by side, then `admission`, `metrics`, `config`, `fs`, `ids` and `clock`.

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
pub mod store;
pub mod websocket;
