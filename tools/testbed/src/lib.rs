//! Real servers for tests: Redis, MongoDB, S3 and nodes of Tonesa, each a process with a folder of its own, on free
//! ports of this machine.
//!
//! Everything here blocks, so that tests with and without a runtime can use it. A server ends when its handle is
//! dropped, and when the process that holds the handle dies, in whatever way. Programs are found on PATH or where
//! `cargo xtask setup` puts them. Needs a Unix.
#![allow(
    clippy::missing_errors_doc,
    reason = "a call fails when its server is not installed, does not start or has ended, and the error says which"
)]

mod cluster;
mod mongo;
mod node;
mod picture;
mod ports;
mod probe;
mod process;
mod programs;
mod redis;
mod s3;
mod sentinel;
pub mod shared;
mod site;

pub use cluster::RedisCluster;
pub use mongo::Mongo;
pub use node::Node;
pub use picture::noise_png;
pub use ports::free_port;
pub use process::{Launch, Process};
pub use redis::Redis;
pub use s3::S3;
pub use sentinel::Sentinel;
pub use site::minimal_site;
