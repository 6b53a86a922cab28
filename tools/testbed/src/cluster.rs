//! A Redis Cluster.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::{Redis, process::poll};

const MASTERS: usize = 3;
/// The number of hash slots of a Redis Cluster.
const SLOTS: usize = 16_384;
const ARGUMENTS: [&str; 4] = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
const AGREEMENT_TIMEOUT: Duration = Duration::from_mins(1);

/// Three masters without replicas.
pub struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts three masters, gives each a third of the slots and waits until all agree. Takes Redis 7 or newer.
    pub fn start() -> Result<Self> {
        let nodes: Result<Vec<_>> = (0..MASTERS).map(|_| Redis::with_args(&ARGUMENTS)).collect();
        let cluster = Self { nodes: nodes? };
        for (number, node) in cluster.nodes.iter().enumerate() {
            let (first, next) = (number * SLOTS / MASTERS, (number + 1) * SLOTS / MASTERS);
            // With equal epochs the nodes would take seconds to agree on different ones.
            node.call(&format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1))?;
            node.call(&format!("CLUSTER ADDSLOTSRANGE {first} {}", next - 1))
                .context("making a Redis Cluster, which takes Redis 7 or newer")?;
        }
        for node in &cluster.nodes[1..] {
            cluster.nodes[0].call(&format!("CLUSTER MEET 127.0.0.1 {}", node.port()))?;
        }
        cluster.wait()?;
        Ok(cluster)
    }

    /// Waits until each node knows all the others and has an owner for every slot, as after a restart of one.
    pub fn wait(&self) -> Result<()> {
        let is_complete = poll(AGREEMENT_TIMEOUT, || self.nodes.iter().all(is_complete));
        let log = self.nodes[0].log();
        ensure!(
            is_complete,
            "the nodes of the Redis Cluster do not agree:\n{log}"
        );
        Ok(())
    }

    /// `redis+cluster://127.0.0.1:PORT,127.0.0.1:PORT,127.0.0.1:PORT`
    pub fn url(&self) -> String {
        let addresses = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()));
        format!(
            "redis+cluster://{}",
            addresses.collect::<Vec<_>>().join(",")
        )
    }

    /// The three masters. Each keeps its slots over a restart.
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }
}

fn is_complete(node: &Redis) -> bool {
    let knows_all = format!("cluster_known_nodes:{MASTERS}\r");
    node.call("CLUSTER INFO")
        .is_ok_and(|info| info.contains("cluster_state:ok") && info.contains(&knows_all))
}
