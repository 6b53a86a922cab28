//! Finds the server of a topic: the only one, or in a cluster the master that has the slot of its channel.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use app::model::UploadId;
use tokio_util::sync::DropGuard;

use super::channels::{Channels, Confirmation};
use super::link::Link;
use super::payload::channel_of;
use super::slots::{SLOTS, Shard, slot_of};
use crate::broker::BrokerError;

/// The links of a node. A topic's link is looked up and called under one lock, so that no link is called after its
/// topics have been moved to another.
pub struct Routes(RwLock<Table>);

struct Table {
    routes: Vec<Route>,
    /// The index of each slot's route. Empty if there is only one server.
    route_by_slot: Vec<usize>,
}

/// A running link, which stops when this is dropped.
pub struct Route {
    link: Arc<Link>,
    /// The server's slots; `None` if there is only one server.
    shard: Option<Shard>,
    _stop: DropGuard,
}

impl Route {
    /// Creates a route; `stop` stops the link.
    pub fn new(link: Arc<Link>, shard: Option<Shard>, stop: DropGuard) -> Self {
        Self {
            link,
            shard,
            _stop: stop,
        }
    }
}

impl Routes {
    pub fn new(routes: Vec<Route>) -> Self {
        Self(RwLock::new(Table::new(routes)))
    }

    pub fn link(&self, topic: UploadId) -> Arc<Link> {
        Arc::clone(self.read().link(topic))
    }

    /// The link to the server that has this key, or carries this channel.
    pub fn link_of(&self, key: &str) -> Arc<Link> {
        Arc::clone(self.read().link_of(key))
    }

    /// See [`Channels::subscribe`].
    pub fn subscribe(&self, topic: UploadId) -> Result<Confirmation, BrokerError> {
        self.read().channels(topic).subscribe(topic)
    }

    /// See [`Channels::cancel`].
    pub fn cancel(&self, topic: UploadId) -> bool {
        self.read().channels(topic).cancel(topic)
    }

    /// See [`Channels::unsubscribe`].
    pub fn unsubscribe(&self, topic: UploadId) -> Confirmation {
        self.read().channels(topic).unsubscribe(topic)
    }

    /// Whether all links are healthy.
    pub fn are_healthy(&self) -> bool {
        self.read()
            .routes
            .iter()
            .all(|route| route.link.is_healthy())
    }

    /// The servers and their slots.
    pub fn shards(&self) -> Vec<Shard> {
        let table = self.read();
        let shards = table.routes.iter().filter_map(|route| route.shard.clone());
        shards.collect()
    }

    /// Applies a new division of the slots. Links of unchanged shards are kept; the topics of the others are moved to
    /// new links, which `create` makes.
    pub fn replace(
        &self,
        shards: &[Shard],
        mut create: impl FnMut(&Shard, Vec<UploadId>) -> Route,
    ) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let routes = std::mem::take(&mut table.routes).into_iter();
        let (mut routes, retired): (Vec<_>, Vec<_>) = routes.partition(|route| {
            let shard = route.shard.as_ref();
            shard.is_some_and(|shard| shards.contains(shard))
        });
        let moved = retired
            .iter()
            .flat_map(|route| route.link.channels().take_all());
        let mut topics: Vec<_> = moved.collect();
        for shard in shards {
            if routes
                .iter()
                .any(|route| route.shard.as_ref() == Some(shard))
            {
                continue;
            }
            let belongs = |topic: &mut UploadId| shard.contains(slot_of(&channel_of(*topic)));
            let topics_of_shard = topics.extract_if(.., belongs).collect();
            routes.push(create(shard, topics_of_shard));
        }
        debug_assert!(topics.is_empty(), "every slot belongs to a shard");
        *table = Table::new(routes);
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn new(routes: Vec<Route>) -> Self {
        let mut route_by_slot = Vec::new();
        for (index, route) in routes.iter().enumerate() {
            for (first, last) in route.shard.iter().flat_map(|shard| &shard.ranges) {
                route_by_slot.resize(usize::from(SLOTS), 0);
                route_by_slot[usize::from(*first)..=usize::from(*last)].fill(index);
            }
        }
        Self {
            routes,
            route_by_slot,
        }
    }

    fn link(&self, topic: UploadId) -> &Arc<Link> {
        self.link_of(&channel_of(topic))
    }

    fn link_of(&self, key: &str) -> &Arc<Link> {
        let index = if self.route_by_slot.is_empty() {
            0
        } else {
            self.route_by_slot[usize::from(slot_of(key))]
        };
        &self.routes[index].link
    }

    fn channels(&self, topic: UploadId) -> &Channels {
        self.link(topic).channels()
    }
}
