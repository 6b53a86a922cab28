//! What is run: Redis, MongoDB, S3, and nodes that reach Redis through a proxy each.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use testbed::{Mongo, Node, Redis, S3};
use tokio::task::spawn_blocking;

use crate::fault::{Kind, LOST_PERCENT};
use crate::proxy::Proxy;
use crate::schedule::Planned;
use crate::site;

/// How many nodes there are.
pub const NODES: usize = 3;
/// The user that the nodes are for Redis.
const USER: &str = "tonesa";
/// A node does not start while a backend is away: like an orchestrator the bed tries again, for so long.
const STARTS_WITHIN: Duration = Duration::from_mins(2);
const BETWEEN_STARTS: Duration = Duration::from_millis(500);

/// Everything that is run; it ends when this is dropped.
pub struct Bed {
    nodes: Vec<Held>,
    proxies: Vec<Proxy>,
    redis: Redis,
    mongo: Mongo,
    s3: S3,
    secrets: Vec<String>,
    site: TempDir,
}

/// A node, and whether it is meant to run.
struct Held {
    node: Node,
    meant_to_run: AtomicBool,
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
        let bed = Self {
            nodes: Vec::new(),
            proxies,
            redis,
            mongo,
            s3,
            secrets,
            site: site::make()?,
        };
        spawn_blocking(move || bed.start_nodes(&program)).await?
    }

    fn start_nodes(mut self, program: &Path) -> Result<Arc<Self>> {
        let site = self
            .site
            .path()
            .to_str()
            .context("the site's folder has a name in UTF-8")?;
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
            self.nodes.push(Held {
                node,
                meant_to_run: AtomicBool::new(true),
            });
        }
        Ok(Arc::new(self))
    }

    /// The nodes.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.iter().map(|held| &held.node)
    }

    /// What must stand in no log.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// How many frames were lost on the way from Redis.
    pub fn lost_frames(&self) -> u64 {
        self.proxies.iter().map(Proxy::lost).sum()
    }

    /// Which nodes do not run though they should.
    pub fn fallen(&self) -> Vec<usize> {
        let nodes = self.nodes.iter().enumerate();
        let fallen = nodes.filter(|(_, held)| {
            // Read first: the node is meant to go before it goes.
            held.meant_to_run.load(Ordering::SeqCst)
                && !held.node.process().is_running()
                && held.meant_to_run.load(Ordering::SeqCst)
        });
        fallen.map(|(number, _)| number).collect()
    }

    /// Copies the logs of all processes into the folder.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_logs(&self, folder: &Path) -> Result<()> {
        let nodes = self.nodes.iter().enumerate();
        let nodes = nodes.map(|(number, held)| (format!("node-{number}"), held.node.process()));
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
            Kind::NodeKilled => {
                held.meant_to_run.store(false, Ordering::SeqCst);
                held.node.kill()
            }
            Kind::NodeFrozen => held.node.freeze(),
            Kind::RollingRestart => self.nodes.iter().try_for_each(Held::renew),
            Kind::MongoFrozen => self.mongo.freeze(),
            Kind::S3Frozen => self.s3.freeze(),
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
            Kind::NodeFrozen => held.node.thaw(),
            Kind::MongoFrozen => self.mongo.thaw(),
            Kind::S3Frozen => self.s3.thaw(),
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

impl Held {
    /// Stops the node in an orderly way and starts it again.
    fn renew(&self) -> Result<()> {
        self.meant_to_run.store(false, Ordering::SeqCst);
        self.node.terminate()?;
        self.start()
    }

    fn start(&self) -> Result<()> {
        let begin = Instant::now();
        while let Err(error) = self.node.restart() {
            if begin.elapsed() > STARTS_WITHIN {
                bail!("a node does not start any more: {error:#}");
            }
            sleep(BETWEEN_STARTS);
        }
        self.meant_to_run.store(true, Ordering::SeqCst);
        Ok(())
    }
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
