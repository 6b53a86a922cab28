//! One server of each kind for all tests of a process, started when the first test asks for it. Tests that freeze or
//! end a server start their own.

use std::sync::LazyLock;

use anyhow::Result;

use crate::{Mongo, Redis, RedisCluster, S3};

static REDIS: LazyLock<Redis> = LazyLock::new(|| or_panic(Redis::start()));
static CLUSTER: LazyLock<RedisCluster> = LazyLock::new(|| or_panic(RedisCluster::start()));
static MONGO: LazyLock<Mongo> = LazyLock::new(|| or_panic(Mongo::start()));
static S3_SERVER: LazyLock<S3> = LazyLock::new(|| or_panic(S3::start()));

/// The process's Redis.
///
/// # Panics
/// When it does not start, as all of these.
pub fn redis() -> &'static Redis {
    &REDIS
}

/// The process's Redis Cluster.
pub fn cluster() -> &'static RedisCluster {
    &CLUSTER
}

/// The process's MongoDB server.
pub fn mongo() -> &'static Mongo {
    &MONGO
}

/// The process's S3 server.
pub fn s3() -> &'static S3 {
    &S3_SERVER
}

fn or_panic<T>(started: Result<T>) -> T {
    match started {
        Ok(server) => server,
        Err(error) => panic!("{error:#}"),
    }
}
