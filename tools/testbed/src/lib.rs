//! Real servers for tests: Redis, MongoDB, S3 and nodes of Tonesa, each a process with a folder of its own, on free
//! ports of this machine.
//!
//! Everything here blocks, so that tests with and without a runtime can use it. Whatever is started ends when its handle
//! is dropped, and when the process that holds the handle dies, in whatever way. The programs are found on PATH or
//! where `cargo xtask setup` puts them. Needs a Unix.

mod cluster;
mod http;
mod log;
mod mongo;
mod node;
mod ports;
mod process;
mod programs;
mod redis;
mod resp;
mod s3;
mod sentinel;
pub mod shared;
mod wire;

pub use cluster::RedisCluster;
pub use mongo::Mongo;
pub use node::Node;
pub use ports::free_port;
pub use process::{Launch, Process};
pub use redis::Redis;
pub use s3::S3;
pub use sentinel::Sentinel;
