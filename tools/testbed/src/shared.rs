//! One server of each kind for all tests of a process, started when the first test asks for it. Tests that freeze or
//! kill a server start their own. A server that does not start is a panic.

use std::sync::LazyLock;

use anyhow::Result;

use crate::{Mongo, Redis, RedisCluster, S3};

fn started<T>(server: Result<T>) -> T {
    server.unwrap_or_else(|error| panic!("{error:#}"))
}

/// The process' Redis.
pub fn redis() -> &'static Redis {
    static SERVER: LazyLock<Redis> = LazyLock::new(|| started(Redis::start()));
    &SERVER
}

/// The process' Redis Cluster.
pub fn cluster() -> &'static RedisCluster {
    static SERVER: LazyLock<RedisCluster> = LazyLock::new(|| started(RedisCluster::start()));
    &SERVER
}

/// The process' MongoDB server.
pub fn mongo() -> &'static Mongo {
    static SERVER: LazyLock<Mongo> = LazyLock::new(|| started(Mongo::start()));
    &SERVER
}

/// The process' S3 server.
pub fn s3() -> &'static S3 {
    static SERVER: LazyLock<S3> = LazyLock::new(|| started(S3::start()));
    &SERVER
}
