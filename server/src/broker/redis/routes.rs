//! Which server a topic belongs to: the only one, or in a cluster the one that has its channel's slot.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio_util::sync::DropGuard;

use super::channels::{Channels, Confirmation};
use super::link::Link;
use super::payload::channel_of;
use super::slots::{SLOTS, Shard, slot_of};
use crate::broker::{BrokerError, Topic};

/// The links of a node. Looking a topic's link up and telling it something are one step, so that nothing is told to a
/// link that has handed its topics to another.
pub struct Routes(RwLock<Table>);

struct Table {
    routes: Vec<Route>,
    /// Which of them each slot belongs to. Empty where there is but one server.
    of_slots: Vec<usize>,
}

/// A link that works as long as this is there.
pub struct Route {
    link: Arc<Link>,
    /// Its server's place in the cluster; none where there is but one server.
    shard: Option<Shard>,
    _stop: DropGuard,
}

impl Route {
    /// `stop` is what the link's work stops by.
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

    pub fn link(&self, topic: Topic) -> Arc<Link> {
        Arc::clone(self.read().link(topic))
    }

    /// See [`Channels::subscribe`].
    pub fn subscribe(&self, topic: Topic) -> Result<Confirmation, BrokerError> {
        self.read().channels(topic).subscribe(topic)
    }

    /// See [`Channels::withdraw`].
    pub fn withdraw(&self, topic: Topic) -> Result<(), BrokerError> {
        self.read().channels(topic).withdraw(topic)
    }

    /// See [`Channels::unsubscribe`].
    pub fn unsubscribe(&self, topic: Topic) -> Confirmation {
        self.read().channels(topic).unsubscribe(topic)
    }

    /// Do frames flow from every server?
    pub fn are_proven(&self) -> bool {
        self.read()
            .routes
            .iter()
            .all(|route| route.link.is_proven())
    }

    /// Where the servers are.
    pub fn shards(&self) -> Vec<Shard> {
        let table = self.read();
        let shards = table.routes.iter().filter_map(|route| route.shard.clone());
        shards.collect()
    }

    /// The slots are divided otherwise now. A link whose server has what it had goes on undisturbed; the topics of the
    /// others are handed to those that are made for what is new.
    pub fn replace(&self, shards: &[Shard], mut make: impl FnMut(&Shard, Vec<Topic>) -> Route) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let routes = std::mem::take(&mut table.routes).into_iter();
        let (mut routes, retired): (Vec<_>, Vec<_>) = routes.partition(|route| {
            let shard = route.shard.as_ref();
            shard.is_some_and(|shard| shards.contains(shard))
        });
        let retiring = retired
            .iter()
            .flat_map(|route| route.link.channels().retire());
        let mut topics: Vec<_> = retiring.collect();
        for shard in shards {
            if routes
                .iter()
                .any(|route| route.shard.as_ref() == Some(shard))
            {
                continue;
            }
            let is_of_it = |topic: &mut Topic| shard.contains(slot_of(&channel_of(*topic)));
            let of_it = topics.extract_if(.., is_of_it).collect();
            routes.push(make(shard, of_it));
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
        let mut of_slots = Vec::new();
        for (index, route) in routes.iter().enumerate() {
            for (first, last) in route.shard.iter().flat_map(|shard| &shard.ranges) {
                of_slots.resize(usize::from(SLOTS), 0);
                of_slots[usize::from(*first)..=usize::from(*last)].fill(index);
            }
        }
        Self { routes, of_slots }
    }

    fn link(&self, topic: Topic) -> &Arc<Link> {
        let index = if self.of_slots.is_empty() {
            0
        } else {
            self.of_slots[usize::from(slot_of(&channel_of(topic)))]
        };
        &self.routes[index].link
    }

    fn channels(&self, topic: Topic) -> &Channels {
        self.link(topic).channels()
    }
}
