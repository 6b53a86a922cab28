//! A load balancer that sends each connection and each request to the next node that is live.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::interval;

use crate::client::Api;

const INTERVAL: Duration = Duration::from_millis(500);
const ANSWER_TIMEOUT: Duration = Duration::from_millis(800);
/// An address of this machine at which nothing listens.
const NOWHERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1));

/// Round robin without sticky sessions; clones share it.
#[derive(Debug, Clone)]
pub struct Balancer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    nodes: Vec<(SocketAddr, AtomicBool)>,
    next: AtomicUsize,
    is_closed: AtomicBool,
}

impl Balancer {
    /// In front of these nodes, which are live.
    pub fn new(nodes: impl IntoIterator<Item = SocketAddr>) -> Self {
        let nodes = nodes.into_iter().map(|node| (node, AtomicBool::new(true)));
        Self(Arc::new(Inner {
            nodes: nodes.collect(),
            next: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
        }))
    }

    /// Refuses all further connections and requests.
    pub fn close(&self) {
        self.0.is_closed.store(true, Ordering::SeqCst);
    }

    /// Lets them through again.
    pub fn open(&self) {
        self.0.is_closed.store(false, Ordering::SeqCst);
    }

    /// The next node that is live; the next one when none seems to be.
    pub fn choose(&self) -> SocketAddr {
        if self.0.is_closed.load(Ordering::SeqCst) {
            return NOWHERE;
        }
        let nodes = &self.0.nodes;
        let first = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut in_turn = (0..nodes.len()).map(|i| &nodes[(first + i) % nodes.len()]);
        let live = in_turn.find(|(_, is_live)| is_live.load(Ordering::Relaxed));
        live.map_or(nodes[first % nodes.len()].0, |(node, _)| *node)
    }

    /// Checks the nodes' health again and again.
    pub async fn watch(self, api: Api) {
        let mut ticks = interval(INTERVAL);
        loop {
            ticks.tick().await;
            let checks = self.0.nodes.iter().map(|(node, is_live)| {
                let api = api.of_node(*node);
                async move {
                    let live = api.is_live(ANSWER_TIMEOUT).await.unwrap_or(false);
                    is_live.store(live, Ordering::Relaxed);
                }
            });
            join_all(checks).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_nodes_take_turns_and_one_is_tried_when_none_seems_live() {
        let balancer = Balancer::new([1, 2, 3].map(|port| ([127, 0, 0, 1], port).into()));
        let choose = |count| -> Vec<u16> { (0..count).map(|_| balancer.choose().port()).collect() };
        assert_eq!(choose(4), [1, 2, 3, 1]);
        let nodes = &balancer.0.nodes;
        nodes[1].1.store(false, Ordering::Relaxed);
        assert_eq!(choose(4), [3, 3, 1, 3]);
        for (_, is_live) in nodes {
            is_live.store(false, Ordering::Relaxed);
        }
        assert_eq!(choose(2), [3, 1]);
        balancer.close();
        assert_eq!(balancer.choose(), NOWHERE);
        balancer.open();
        assert_eq!(choose(1), [2]);
    }
}
