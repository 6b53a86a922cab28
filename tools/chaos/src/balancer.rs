//! A load balancer that sends each connection and each request to the next node, whether that is live or not.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// An address of this machine at which nothing listens.
const NOWHERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1));

/// Round robin without sticky sessions; clones share it.
#[derive(Debug, Clone)]
pub struct Balancer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    nodes: Vec<SocketAddr>,
    next: AtomicUsize,
    is_closed: AtomicBool,
}

impl Balancer {
    /// In front of these nodes.
    pub fn new(nodes: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self(Arc::new(Inner {
            nodes: nodes.into_iter().collect(),
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

    /// The next node.
    pub fn choose(&self) -> SocketAddr {
        let Inner {
            nodes,
            next,
            is_closed,
        } = &*self.0;
        if is_closed.load(Ordering::SeqCst) {
            return NOWHERE;
        }
        nodes[next.fetch_add(1, Ordering::Relaxed) % nodes.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_take_turns_unless_it_is_closed() {
        let balancer = Balancer::new([1, 2, 3].map(|port| ([127, 0, 0, 1], port).into()));
        let choose = |count| -> Vec<u16> { (0..count).map(|_| balancer.choose().port()).collect() };
        assert_eq!(choose(4), [1, 2, 3, 1]);
        balancer.close();
        assert_eq!(balancer.choose(), NOWHERE);
        balancer.open();
        assert_eq!(choose(1), [2]);
    }
}
