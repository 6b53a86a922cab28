//! A Tonesa node: HTTP API, server-rendered pages, socket hub and storage. `main.rs` only starts it; tests start it
//! in-process.

pub mod address;
pub mod backends;
pub mod blob;
pub mod body;
pub mod broker;
pub mod budget;
pub mod check;
pub mod clock;
pub mod conditions;
pub mod config;
pub mod deadline;
pub mod folder;
pub mod host;
pub mod housekeeping;
pub mod hub;
pub mod ids;
pub mod image;
pub mod logs;
pub mod metrics;
pub mod observe;
pub mod origin;
pub mod pages;
pub mod pairing;
pub mod posting;
pub mod problem;
pub mod proof;
pub mod rate_limit;
pub mod representation;
pub mod routes;
mod run;
pub mod scratch;
pub mod serve;
pub mod site;
pub mod slots;
pub mod state;
pub mod store;
pub mod sweep_status;
pub mod websocket;

pub use run::{StartError, run};
