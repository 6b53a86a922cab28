//! What stands before the nodes: it sends each connection and each request to the next node that is up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use reqwest::Client;
use tokio::time::interval;

/// How often a node is asked whether it is up, and how long it may take to say so.
const EVERY: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_millis(800);

/// A load balancer without memory of who went where; clones share it.
#[derive(Debug, Clone)]
pub struct Balancer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    nodes: Vec<(SocketAddr, AtomicBool)>,
    next: AtomicUsize,
}

impl Balancer {
    /// In front of these nodes, which are up.
    pub fn new(nodes: impl IntoIterator<Item = SocketAddr>) -> Self {
        let nodes = nodes.into_iter().map(|node| (node, AtomicBool::new(true)));
        Self(Arc::new(Inner {
            nodes: nodes.collect(),
            next: AtomicUsize::new(0),
        }))
    }

    /// The next node that is up; the next one when none seems to be.
    pub fn choose(&self) -> SocketAddr {
        let nodes = &self.0.nodes;
        let first = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut turn = (0..nodes.len()).map(|i| &nodes[(first + i) % nodes.len()]);
        let up = turn.find(|(_, is_up)| is_up.load(Ordering::Relaxed));
        up.map_or(nodes[first % nodes.len()].0, |(node, _)| *node)
    }

    /// Asks the nodes whether they are up, without an end.
    pub async fn watch(self, http: Client) {
        let mut ticks = interval(EVERY);
        loop {
            ticks.tick().await;
            let asked = self.0.nodes.iter().map(|(node, is_up)| {
                let question = http.get(format!("http://{node}/livez")).timeout(PATIENCE);
                async {
                    let answer = question.send().await;
                    let up = answer.is_ok_and(|answer| answer.status().is_success());
                    is_up.store(up, Ordering::Relaxed);
                }
            });
            join_all(asked).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[test]
    fn nodes_take_turns_and_those_that_are_down_are_passed_over() {
        let balancer = Balancer::new([node(1), node(2), node(3)]);
        let chosen: Vec<_> = (0..4).map(|_| balancer.choose().port()).collect();
        assert_eq!(chosen, [1, 2, 3, 1]);
        balancer.0.nodes[1].1.store(false, Ordering::Relaxed);
        let chosen: Vec<_> = (0..4).map(|_| balancer.choose().port()).collect();
        assert_eq!(chosen, [3, 3, 1, 3]);
    }

    #[test]
    fn when_none_seems_up_one_is_tried_all_the_same() {
        let balancer = Balancer::new([node(1)]);
        balancer.0.nodes[0].1.store(false, Ordering::Relaxed);
        assert_eq!(balancer.choose().port(), 1);
    }
}
