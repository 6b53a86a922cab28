//! A Redis Cluster: a link to each master, and the watch over which master has which slots.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use rand::RngExt;
use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, cmd};
use tokio::time::{sleep, timeout};

use super::error::OpenError;
use super::reason::Reason;
use super::routes::Routes;
use super::server::{ANSWERS_WITHIN, Server};
use super::slots::{self, Shard};
use super::url;
use super::votes;
use super::workshop::Workshop;

/// How often the slots are looked at while all is well.
const EVERY: Duration = Duration::from_secs(15);
/// And while something is wrong.
const IN_TROUBLE: Duration = Duration::from_secs(1);

pub struct Cluster {
    /// The servers that the node was told of. Never none.
    seeds: Vec<ConnectionInfo>,
    workshop: Arc<Workshop>,
}

impl Cluster {
    pub fn new(seeds: Vec<ConnectionInfo>, workshop: Arc<Workshop>) -> Self {
        Self { seeds, workshop }
    }

    /// Connects to all masters and hears the canary of each.
    pub async fn open(&self) -> Result<Routes, OpenError> {
        let shards = self.look(&[]).await;
        let shards = shards.map_err(|reason| OpenError::new(&self.server_at(None), reason))?;
        let opening = shards.into_iter().map(async |shard| {
            let server = self.server_at(Some(&shard));
            let link = self.workshop.link(server.clone(), Some(&shard));
            let session = link.open().await;
            let session = session.map_err(|reason| OpenError::new(&server, reason))?;
            Ok(self.workshop.route(link, Some(shard), Some(session)))
        });
        Ok(Routes::new(try_join_all(opening).await?))
    }

    /// Follows the slots from master to master, without end.
    pub async fn run(&self, routes: &Routes) {
        loop {
            let all_is_well = routes.are_proven();
            let pause = if all_is_well { EVERY } else { IN_TROUBLE };
            let part = rand::rng().random_range(0.5..=1.0);
            tokio::select! {
                () = sleep(pause.mul_f64(part)) => {}
                // Not at once: a cluster needs a moment to agree, and trouble often comes in swarms.
                () = self.workshop.trouble.notified() => sleep(IN_TROUBLE.mul_f64(part / 2.0)).await,
            }
            let known = routes.shards();
            match self.look(&known).await {
                Ok(shards) if shards == known => {}
                Ok(shards) => {
                    tracing::info!(
                        masters = shards.len(),
                        "the slots of the Redis Cluster are divided anew"
                    );
                    self.follow(routes, &shards);
                }
                Err(reason) => tracing::debug!(%reason, "no server tells the slots"),
            }
        }
    }

    fn follow(&self, routes: &Routes, shards: &[Shard]) {
        routes.replace(shards, |shard, topics| {
            let server = self.server_at(Some(shard));
            let link = self.workshop.link(server, Some(shard));
            link.channels().adopt(topics);
            self.workshop.route(link, Some(shard.clone()), None)
        });
    }

    /// Asks all servers that are known, and takes what more than half of those that answer say: one that the others have
    /// left behind is not believed. Where there is no majority, what is known stays.
    async fn look(&self, known: &[Shard]) -> Result<Vec<Shard>, Reason> {
        let mut servers = self.seeds.clone();
        for shard in known {
            let info = self.at(&shard.node);
            if !servers.iter().any(|other| other.addr() == info.addr()) {
                servers.push(info);
            }
        }
        votes::count(join_all(servers.into_iter().map(ask)).await)
    }

    fn server_at(&self, shard: Option<&Shard>) -> Server {
        let info = shard.map_or_else(|| self.seeds[0].clone(), |shard| self.at(&shard.node));
        Server::Fixed(info)
    }

    fn at(&self, (host, port): &slots::Node) -> ConnectionInfo {
        url::at(self.seeds[0].clone(), host.clone(), *port)
    }
}

async fn ask(server: ConnectionInfo) -> Result<Vec<Shard>, Reason> {
    let host = match server.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
        _ => String::new(),
    };
    let asking = async {
        let mut connection = Server::Fixed(server)
            .connect(AsyncConnectionConfig::new())
            .await?;
        let mut slots = cmd("CLUSTER");
        let answer = connection.send_packed_command(slots.arg("SLOTS")).await?;
        let answer = answer.extract_error()?;
        slots::read(&answer, &host).ok_or(Reason::ClusterDown)
    };
    timeout(ANSWERS_WITHIN, asking)
        .await
        .map_err(|_| Reason::Timeout)?
}
