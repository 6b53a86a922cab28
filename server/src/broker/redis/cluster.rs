//! A Redis Cluster: a link to each master, kept up to date with the slots of the masters.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use rand::RngExt;
use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, cmd};
use tokio::time::{sleep, timeout};

use super::error::OpenError;
use super::link_factory::LinkFactory;
use super::majority;
use super::reason::Reason;
use super::routes::Routes;
use super::server::{RESPONSE_TIMEOUT, Server};
use super::slots::{self, Shard};
use super::url;

/// The interval of checks of the slots while all links are healthy.
const CHECK_INTERVAL: Duration = Duration::from_secs(15);
/// The interval while a link is not healthy.
const UNHEALTHY_CHECK_INTERVAL: Duration = Duration::from_secs(1);

pub struct Cluster {
    /// The configured servers; at least one.
    seeds: Vec<ConnectionInfo>,
    links: Arc<LinkFactory>,
}

impl Cluster {
    pub fn new(seeds: Vec<ConnectionInfo>, links: Arc<LinkFactory>) -> Self {
        Self { seeds, links }
    }

    /// Connects to all masters, and waits for a heartbeat of each.
    pub async fn open(&self) -> Result<Routes, OpenError> {
        let shards = self.fetch_shards(&[]).await;
        let shards = shards.map_err(|reason| OpenError::new(&self.server_at(None), reason))?;
        let opening = shards.into_iter().map(async |shard| {
            let server = self.server_at(Some(&shard));
            let link = self.links.create(server.clone(), Some(&shard));
            let connection = link.open().await;
            let connection = connection.map_err(|reason| OpenError::new(&server, reason))?;
            Ok(self.links.start(link, Some(shard), Some(connection)))
        });
        Ok(Routes::new(try_join_all(opening).await?))
    }

    /// Checks the slots at intervals and after errors, and applies changes, forever.
    pub async fn run(&self, routes: &Routes) {
        loop {
            let interval = if routes.are_healthy() {
                CHECK_INTERVAL
            } else {
                UNHEALTHY_CHECK_INTERVAL
            };
            let part = rand::rng().random_range(0.5..=1.0);
            tokio::select! {
                () = sleep(interval.mul_f64(part)) => {}
                // Not at once: the cluster needs a moment to agree, and such errors often come in groups.
                () = self.links.recheck_slots.notified() => sleep(UNHEALTHY_CHECK_INTERVAL.mul_f64(part / 2.0)).await,
            }
            let known = routes.shards();
            match self.fetch_shards(&known).await {
                Ok(shards) if shards == known => {}
                Ok(shards) => {
                    tracing::info!(
                        masters = shards.len(),
                        "the slots of the Redis Cluster have moved"
                    );
                    self.apply(routes, &shards);
                }
                Err(reason) => {
                    tracing::debug!(%reason, "could not read the slots of the Redis Cluster");
                }
            }
        }
    }

    fn apply(&self, routes: &Routes, shards: &[Shard]) {
        routes.replace(shards, |shard, topics| {
            let server = self.server_at(Some(shard));
            let link = self.links.create(server, Some(shard));
            link.channels().adopt(topics);
            self.links.start(link, Some(shard.clone()), None)
        });
    }

    /// Asks all known servers, and returns what more than half of those that answer say, because a single server may be
    /// partitioned from the others.
    async fn fetch_shards(&self, known: &[Shard]) -> Result<Vec<Shard>, Reason> {
        let mut servers = self.seeds.clone();
        for shard in known {
            let info = self.at(&shard.address);
            if !servers.iter().any(|other| other.addr() == info.addr()) {
                servers.push(info);
            }
        }
        majority::decide(join_all(servers.into_iter().map(query_shards)).await)
    }

    fn server_at(&self, shard: Option<&Shard>) -> Server {
        let info = shard.map_or_else(|| self.seeds[0].clone(), |shard| self.at(&shard.address));
        Server::Fixed(info)
    }

    fn at(&self, (host, port): &slots::Address) -> ConnectionInfo {
        url::with_address(self.seeds[0].clone(), host.clone(), *port)
    }
}

async fn query_shards(server: ConnectionInfo) -> Result<Vec<Shard>, Reason> {
    let host = match server.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
        _ => String::new(),
    };
    let query = async {
        let mut connection = Server::Fixed(server)
            .connect(AsyncConnectionConfig::new())
            .await?;
        let mut slots = cmd("CLUSTER");
        let answer = connection.send_packed_command(slots.arg("SLOTS")).await?;
        let answer = answer.extract_error()?;
        slots::parse(&answer, &host).ok_or(Reason::ClusterDown)
    };
    timeout(RESPONSE_TIMEOUT, query)
        .await
        .map_err(|_| Reason::Timeout)?
}
