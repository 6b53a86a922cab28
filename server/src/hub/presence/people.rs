//! How many sockets there are, and which people are listed.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use app::model::{Person, Viewer};

use super::digest::MAX_PEOPLE;

/// The number of sockets, and the first [`MAX_PEOPLE`] of the people who gave a name, each once: those with a tag come
/// first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::hub) struct Viewers {
    pub count: u32,
    pub people: Vec<Person>,
}

impl Viewers {
    /// Those of all nodes. Every node lists the first of its people, so the first of all are among them, and the result
    /// is the same at every node.
    pub fn of_all<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let people = all.clone().flat_map(|viewers| &viewers.people);
        let sorted: BTreeSet<_> = people.map(|it| (it.author.is_none(), it)).collect();
        let first = sorted.into_iter().take(MAX_PEOPLE);
        Self {
            people: first.map(|(_, person)| person.clone()).collect(),
            count: all.fold(0, |sum, viewers| sum.saturating_add(viewers.count)),
        }
    }
}

/// What the sockets of one node say about themselves.
#[derive(Default)]
pub(super) struct LocalViewers {
    /// The number of sockets by what they say, if they do.
    viewers: BTreeMap<Key, usize>,
}

/// Those with a tag come first: anybody could give the names of the others.
type Key = (bool, Arc<Viewer>);

impl LocalViewers {
    /// Adds what a socket says.
    pub fn add(&mut self, viewer: Option<&Arc<Viewer>>) {
        if let Some(viewer) = viewer {
            *self.viewers.entry(key(viewer)).or_default() += 1;
        }
    }

    /// Removes what a socket has said.
    pub fn remove(&mut self, viewer: Option<&Arc<Viewer>>) {
        let key = viewer.map(key);
        if let Some(Entry::Occupied(mut entry)) = key.map(|key| self.viewers.entry(key)) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }

    /// Who there is among so many sockets.
    pub fn list(&self, sockets: usize) -> Viewers {
        let people = self.viewers.keys().filter_map(|(_, viewer)| {
            let name = viewer.name.clone()?;
            let author = viewer.author;
            Some(Person { author, name })
        });
        Viewers {
            count: u32::try_from(sockets).unwrap_or(u32::MAX),
            people: people.take(MAX_PEOPLE).collect(),
        }
    }
}

fn key(viewer: &Arc<Viewer>) -> Key {
    (viewer.author.is_none(), Arc::clone(viewer))
}
