//! What is run: Redis, MongoDB, S3, three nodes that reach Redis through a proxy each, and a standalone node.

use std::fs;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

use anyhow::{Context, Result};
use reqwest::Client;
use tempfile::TempDir;
use testbed::{Mongo, Redis, S3};
use tokio::task::spawn_blocking;

use crate::balancer::Balancer;
use crate::blobs::BlobStore;
use crate::check::TextStore;
use crate::fault::Kind;
use crate::managed_node::ManagedNode;
use crate::proxy::Proxy;
use crate::recorder::Recorder;
use crate::restores::Restores;
use crate::schedule::Planned;
use crate::standalone::StandaloneNode;

/// How many nodes share the backends.
pub const NODES: usize = 3;
/// With it everything can be deleted.
pub const ADMIN_TOKEN: &str = "the-token-of-the-admin-of-a-run";
/// How the secrets of all authors begin.
const AUTHOR_SECRET: &str = "the-secret-of-";
const REDIS_USER: &str = "tonesa";

/// Nodes with the store that they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deployment {
    /// Three nodes, Redis, MongoDB and S3.
    Shared,
    /// One node, SQLite and a folder.
    Standalone,
}

/// Everything that is run; it ends when this is dropped.
pub struct Environment {
    nodes: Vec<ManagedNode>,
    standalone: StandaloneNode,
    proxies: Vec<Proxy>,
    redis: Redis,
    mongo: Mongo,
    s3: S3,
    mongo_url: String,
    secrets: [String; 4],
    _site: TempDir,
}

impl Environment {
    /// Starts everything; `seed` decides what the passwords are.
    pub async fn start(program: PathBuf, seed: u64, recorder: Recorder) -> Result<Arc<Self>> {
        let password = format!("redis-password-{seed:016x}");
        let acl = format!(">{password}");
        let redis = spawn_blocking(move || {
            Redis::with_args(&["--user", REDIS_USER, "on", &acl, "~*", "&*", "+@all"])
        });
        let mongo = spawn_blocking(Mongo::start);
        let s3 = spawn_blocking(S3::start);
        let (redis, mongo, s3) = (redis.await??, mongo.await??, s3.await??);
        let mut proxies = Vec::new();
        for _ in 0..NODES {
            let proxy = Proxy::start(redis.port()).await;
            proxies.push(proxy.context("starting a proxy")?);
        }
        let start = move || {
            let folder = testbed::minimal_site()?;
            let site = folder
                .path()
                .to_str()
                .context("a folder's name is UTF-8")?
                .to_owned();
            let mut environment = Self {
                nodes: Vec::new(),
                standalone: StandaloneNode::start(NODES, &program, &site, recorder.clone())?,
                proxies,
                secrets: [
                    password,
                    s3.secret_key().to_owned(),
                    ADMIN_TOKEN.to_owned(),
                    AUTHOR_SECRET.to_owned(),
                ],
                redis,
                mongo_url: mongo.url_of_new_database(),
                mongo,
                s3,
                _site: folder,
            };
            environment.start_nodes(&program, &site, &recorder)?;
            Ok(Arc::new(environment))
        };
        spawn_blocking(start).await?
    }

    fn start_nodes(&mut self, program: &Path, site: &str, recorder: &Recorder) -> Result<()> {
        let (mongo_url, s3) = (self.mongo_url.clone(), self.s3.environment());
        let [password, ..] = &self.secrets;
        for (number, proxy) in self.proxies.iter().enumerate() {
            let redis_url = format!("redis://{REDIS_USER}:{password}@127.0.0.1:{}", proxy.port());
            let mut variables = vec![
                ("TONESA_SITE_DIR", site),
                ("TONESA_ADMIN_TOKEN", ADMIN_TOKEN),
                ("MONGO_URL", &mongo_url),
                ("REDIS_URL", &redis_url),
            ];
            variables.extend(s3.iter().map(|(name, value)| (*name, value.as_str())));
            let node = ManagedNode::start(number, program, &variables, recorder.clone())?;
            self.nodes.push(node);
        }
        Ok(())
    }

    pub fn nodes(&self, deployment: Deployment) -> &[ManagedNode] {
        match deployment {
            Deployment::Shared => &self.nodes,
            Deployment::Standalone => slice::from_ref(self.standalone.node()),
        }
    }

    /// A way to the nodes for clients.
    pub fn balancer(&self, deployment: Deployment) -> Balancer {
        match deployment {
            Deployment::Shared => Balancer::new(self.nodes.iter().map(ManagedNode::address)),
            Deployment::Standalone => self.standalone.balancer().clone(),
        }
    }

    /// The restores of the nodes' store.
    pub fn restores(&self, deployment: Deployment) -> Restores {
        match deployment {
            Deployment::Shared => Restores::default(),
            Deployment::Standalone => self.standalone.restores().clone(),
        }
    }

    /// Where the nodes have their images.
    pub fn blobs(&self, deployment: Deployment) -> Result<BlobStore> {
        Ok(match deployment {
            Deployment::Shared => BlobStore::Bucket(
                Client::builder().no_proxy().build()?,
                self.s3.bucket_folder(),
            ),
            Deployment::Standalone => BlobStore::Folder(self.standalone.data().join("images")),
        })
    }

    /// Where the nodes have their texts.
    pub fn texts(&self, deployment: Deployment) -> TextStore {
        match deployment {
            Deployment::Shared => TextStore::Database(self.mongo_url.clone()),
            Deployment::Standalone => TextStore::Folder(self.standalone.data()),
        }
    }

    /// All nodes; the last one is the standalone one.
    pub fn all_nodes(&self) -> impl Iterator<Item = &ManagedNode> {
        self.nodes.iter().chain([self.standalone.node()])
    }

    /// What no log may contain.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// Copies the logs of all processes into the folder.
    pub fn keep_logs(&self, folder: &Path) -> Result<()> {
        let nodes = self.all_nodes().enumerate();
        let nodes = nodes.map(|(number, node)| (format!("node-{number}"), node.process()));
        let servers = [("redis", &*self.redis), ("s3", &*self.s3)];
        // A MongoDB server that MONGO_URL names has no process here.
        let mongo = self.mongo.process().ok().map(|process| ("mongo", process));
        let servers = servers.into_iter().chain(mongo);
        let servers = servers.map(|(name, process)| (name.to_owned(), process));
        fs::create_dir_all(folder)?;
        for (name, process) in nodes.chain(servers) {
            let copy = folder.join(format!("{name}.log"));
            fs::copy(process.path().join("log"), copy)
                .with_context(|| format!("keeping {name}'s log"))?;
        }
        Ok(())
    }

    /// Makes the fault. Blocks.
    pub fn begin(&self, fault: &Planned) -> Result<()> {
        let node = &self.nodes[fault.node];
        match fault.kind {
            Kind::RedisKilled => self.redis.kill()?,
            Kind::RedisFrozen => self.redis.freeze()?,
            Kind::SubscribersKilled => self.redis.call("CLIENT KILL TYPE pubsub").map(drop)?,
            Kind::HalfOpen => self.proxies[fault.node].make_half_open(),
            Kind::NodeKilled => node.kill()?,
            Kind::NodeFrozen => node.freeze()?,
            Kind::RollingRestart => self.nodes.iter().try_for_each(|node| {
                node.stop();
                node.restart()
            })?,
            Kind::MongoFrozen => self.mongo.freeze()?,
            Kind::S3Frozen => self.s3.freeze()?,
            Kind::DatabaseMovedAway => self.standalone.move_database_away()?,
            Kind::BackupRestored => self.standalone.back_up()?,
        }
        Ok(())
    }

    /// Repairs the fault, unless the nodes have to recover by themselves. Blocks.
    pub fn repair(&self, fault: &Planned) -> Result<()> {
        let node = &self.nodes[fault.node];
        match fault.kind {
            Kind::RedisKilled => self.redis.restart()?,
            Kind::RedisFrozen => self.redis.thaw()?,
            Kind::NodeKilled => node.restart()?,
            Kind::NodeFrozen => node.thaw()?,
            Kind::MongoFrozen => self.mongo.thaw()?,
            Kind::S3Frozen => self.s3.thaw()?,
            Kind::DatabaseMovedAway => self.standalone.put_database_back()?,
            Kind::BackupRestored => self.standalone.restore()?,
            Kind::SubscribersKilled | Kind::HalfOpen | Kind::RollingRestart => {}
        }
        Ok(())
    }
}
