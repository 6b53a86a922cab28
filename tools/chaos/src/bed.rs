//! What is run: Redis, MongoDB, S3, nodes that reach Redis through a proxy each, and one that stands alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use tempfile::TempDir;
use testbed::{Mongo, Node, Redis, S3};
use tokio::task::spawn_blocking;

use crate::fault::{Kind, LOST_PERCENT};
use crate::held::Held;
use crate::lone::Lone;
use crate::proxy::Proxy;
use crate::schedule::Planned;
use crate::site;

/// How many nodes share the backends.
pub const NODES: usize = 3;
/// The same and the one that stands alone.
pub const ALL_NODES: usize = NODES + 1;
/// The user that the nodes are for Redis.
const USER: &str = "tonesa";

/// Everything that is run; it ends when this is dropped.
pub struct Bed {
    nodes: Vec<Held>,
    lone: Lone,
    proxies: Vec<Proxy>,
    redis: Redis,
    mongo: Mongo,
    s3: S3,
    secrets: Vec<String>,
    site: TempDir,
}

impl Bed {
    /// Starts everything; `seed` decides which frames will be lost and what the passwords are.
    ///
    /// # Errors
    /// When a program is missing or does not start.
    pub async fn start(program: PathBuf, seed: u64) -> Result<Arc<Self>> {
        let password = format!("redis-password-{seed:016x}");
        let (redis, mongo, s3) = backends(password.clone()).await?;
        let mut proxies = Vec::new();
        for number in 0..NODES as u64 {
            let proxy = Proxy::start(redis.port(), seed.wrapping_add(number));
            proxies.push(proxy.await.context("starting a proxy")?);
        }
        let secrets = vec![password, s3.secret_key().to_owned()];
        let start = move || {
            let site = site::make()?;
            let bed = Self {
                nodes: Vec::new(),
                lone: Lone::start(&program, name(&site)?)?,
                proxies,
                redis,
                mongo,
                s3,
                secrets,
                site,
            };
            bed.start_nodes(&program)
        };
        spawn_blocking(start).await?
    }

    fn start_nodes(mut self, program: &Path) -> Result<Arc<Self>> {
        let site = name(&self.site)?;
        let (mongo_url, endpoint) = (self.mongo.url_of_new_database(), self.s3.endpoint());
        for proxy in &self.proxies {
            let password = &self.secrets[0];
            let redis_url = format!("redis://{USER}:{password}@127.0.0.1:{}", proxy.port());
            let node = Node::start(
                program,
                &[
                    ("TONESA_SITE_DIR", site),
                    ("MONGO_URL", &mongo_url),
                    ("REDIS_URL", &redis_url),
                    ("S3_ENDPOINT", &endpoint),
                    ("S3_BUCKET_NAME", self.s3.bucket()),
                    ("AWS_REGION", "us-east-1"),
                    ("AWS_ACCESS_KEY_ID", self.s3.access_key()),
                    ("AWS_SECRET_ACCESS_KEY", self.s3.secret_key()),
                ],
            )?;
            self.nodes.push(Held::new(node));
        }
        Ok(Arc::new(self))
    }

    /// The nodes that share the backends.
    pub fn nodes(&self) -> &[Held] {
        &self.nodes
    }

    /// The node that stands alone.
    pub fn lone(&self) -> &Lone {
        &self.lone
    }

    /// All nodes; the last one stands alone.
    pub fn held(&self) -> impl Iterator<Item = &Held> {
        self.nodes.iter().chain([self.lone.held()])
    }

    /// What must stand in no log.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// How many frames were lost on the way from Redis.
    pub fn lost_frames(&self) -> u64 {
        self.proxies.iter().map(Proxy::lost).sum()
    }

    /// Copies the logs of all processes into the folder.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_logs(&self, folder: &Path) -> Result<()> {
        let nodes = self.held().enumerate();
        let nodes = nodes.map(|(number, held)| (format!("node-{number}"), held.node().process()));
        let servers = [("redis", self.redis.process()), ("s3", self.s3.process())];
        let servers = servers.map(|(name, process)| (name.to_owned(), process));
        let mongo = self.mongo.process().ok();
        let mongo = mongo.map(|process| ("mongo".to_owned(), process));
        fs::create_dir_all(folder)?;
        for (name, process) in nodes.chain(servers).chain(mongo) {
            let copy = folder.join(format!("{name}.log"));
            fs::copy(process.path().join("log"), copy)
                .with_context(|| format!("keeping {name}'s log"))?;
        }
        Ok(())
    }

    /// Lets the fault begin. Blocks.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn begin(&self, fault: &Planned) -> Result<()> {
        let held = &self.nodes[fault.node];
        match fault.kind {
            Kind::RedisKilled => self.redis.kill(),
            Kind::RedisFrozen => self.redis.freeze(),
            Kind::SubscribersKilled => self.redis.call("CLIENT KILL TYPE pubsub").map(drop),
            Kind::FramesLost => {
                self.lose(LOST_PERCENT);
                Ok(())
            }
            Kind::HalfOpen => {
                self.proxies[fault.node].make_half_open();
                Ok(())
            }
            Kind::ConnectionsCut => {
                self.proxies[fault.node].cut();
                Ok(())
            }
            Kind::NodeKilled => held.kill(),
            Kind::NodeFrozen => held.freeze(),
            Kind::RollingRestart => self.nodes.iter().try_for_each(|held| {
                held.stop();
                held.start()
            }),
            Kind::MongoFrozen => self.mongo.freeze(),
            Kind::S3Frozen => self.s3.freeze(),
            Kind::DatabaseMovedAway => self.lone.move_database_away(),
        }
    }

    /// Repairs what has to be repaired. Blocks.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn repair(&self, fault: &Planned) -> Result<()> {
        let held = &self.nodes[fault.node];
        match fault.kind {
            Kind::RedisKilled => self.redis.restart(),
            Kind::RedisFrozen => self.redis.thaw(),
            Kind::FramesLost => {
                self.lose(0);
                Ok(())
            }
            Kind::NodeKilled => held.start(),
            Kind::NodeFrozen => held.thaw(),
            Kind::MongoFrozen => self.mongo.thaw(),
            Kind::S3Frozen => self.s3.thaw(),
            Kind::DatabaseMovedAway => self.lone.put_database_back(),
            Kind::SubscribersKilled
            | Kind::HalfOpen
            | Kind::ConnectionsCut
            | Kind::RollingRestart => Ok(()),
        }
    }

    /// Loses so many of a hundred messages on the way from Redis to any node from now on.
    pub fn lose(&self, percent: u8) {
        for proxy in &self.proxies {
            proxy.lose(percent);
        }
    }
}

fn name(folder: &TempDir) -> Result<&str> {
    let name = folder.path().to_str();
    name.context("a temporary folder has a name in UTF-8")
}

async fn backends(password: String) -> Result<(Redis, Mongo, S3)> {
    let redis = spawn_blocking(move || {
        let password = format!(">{password}");
        Redis::with_args(&["--user", USER, "on", &password, "~*", "&*", "+@all"])
    });
    let mongo = spawn_blocking(Mongo::start);
    let s3 = spawn_blocking(S3::start);
    Ok((redis.await??, mongo.await??, s3.await??))
}
