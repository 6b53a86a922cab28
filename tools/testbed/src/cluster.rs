//! A Redis Cluster.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{Redis, resp};

const MASTERS: usize = 3;
/// Hash slots of every Redis Cluster.
const SLOTS: usize = 16_384;
const ARGUMENTS: [&str; 4] = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
/// Three nodes hear of each other within a few seconds.
const AGREES_WITHIN: Duration = Duration::from_mins(1);

/// Three masters without replicas.
pub struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts the three, gives each a third of the slots and waits until all agree that the cluster is well.
    ///
    /// # Errors
    /// When there is no `redis-server` of version 7 or newer, or it does not start.
    pub fn start() -> Result<Self> {
        let nodes = (0..MASTERS).map(|_| Redis::with_args(&ARGUMENTS));
        let cluster = Self {
            nodes: nodes.collect::<Result<_>>()?,
        };
        for (number, node) in cluster.nodes.iter().enumerate() {
            let (first, next) = (number * SLOTS / MASTERS, (number + 1) * SLOTS / MASTERS);
            // Different epochs from the start: the nodes would take seconds to agree on them by themselves.
            let epoch = number + 1;
            resp::call(node.port(), &format!("CLUSTER SET-CONFIG-EPOCH {epoch}"))?;
            let slots = format!("CLUSTER ADDSLOTSRANGE {first} {}", next - 1);
            resp::call(node.port(), &slots)
                .context("making a Redis Cluster, which takes Redis 7 or newer")?;
        }
        let first = cluster.nodes[0].port();
        for node in &cluster.nodes[1..] {
            resp::call(first, &format!("CLUSTER MEET 127.0.0.1 {}", node.port()))?;
        }
        cluster.wait()?;
        Ok(cluster)
    }

    /// Waits until each node knows all the others and has an owner for every slot, as after a restart of one.
    ///
    /// # Errors
    /// When that is not so within a minute.
    pub fn wait(&self) -> Result<()> {
        let start = Instant::now();
        while !self.nodes.iter().all(is_well) {
            if start.elapsed() > AGREES_WITHIN {
                bail!(
                    "the nodes of the Redis Cluster do not agree:\n{}",
                    self.nodes[0].process().log()
                );
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// `redis+cluster://127.0.0.1:PORT,127.0.0.1:PORT,127.0.0.1:PORT`
    pub fn url(&self) -> String {
        let nodes = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()));
        format!("redis+cluster://{}", nodes.collect::<Vec<_>>().join(","))
    }

    /// The three, to freeze or kill them one by one. Each keeps its slots over a restart.
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }
}

fn is_well(node: &Redis) -> bool {
    let knows_all = format!("cluster_known_nodes:{MASTERS}\r");
    resp::call(node.port(), "CLUSTER INFO")
        .is_ok_and(|info| info.contains("cluster_state:ok") && info.contains(&knows_all))
}
