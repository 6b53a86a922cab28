//! Who counts as one person, and who is listed.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::model::{AuthorTag, Person, Viewer};

use super::digest::MAX_PEOPLE;

/// The number of people, and the first [`MAX_PEOPLE`] of those who gave a name: those with a tag, each listed once, then
/// those without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::hub) struct Viewers {
    pub count: u32,
    pub people: Vec<Person>,
}

impl Viewers {
    /// Those of all nodes. Every node lists the first of its people, so the first of all are among them, and the result is
    /// the same at every node. A person whose sockets are at several nodes counts once if they list it: the number is
    /// exact for as many people as are listed, and may be too large beyond.
    pub fn of_all<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let mut people: Vec<_> = all.clone().flat_map(|viewers| &viewers.people).collect();
        people.sort_unstable_by_key(|person| (person.author.is_none(), *person));
        let again = people.windows(2).filter(|pair| is_same(pair[0], pair[1]));
        let again = u32::try_from(again.count()).unwrap_or(u32::MAX);
        let count = all.fold(0_u32, |sum, viewers| sum.saturating_add(viewers.count));
        Self {
            count: count.saturating_sub(again),
            people: first_people(people.into_iter().cloned()),
        }
    }
}

/// What the sockets of one node say about themselves.
#[derive(Default)]
pub(super) struct LocalViewers {
    /// The number of sockets by what they say, if they do.
    viewers: BTreeMap<Key, usize>,
    /// The number of sockets by tag.
    tags: BTreeMap<AuthorTag, usize>,
}

/// Those with a tag come first, because others may know them; within a tag, the order is that of names.
type Key = (bool, Arc<Viewer>);

impl LocalViewers {
    /// Adds what a socket says.
    pub fn add(&mut self, viewer: Option<&Arc<Viewer>>) {
        if let Some(viewer) = viewer {
            *self.viewers.entry(key(viewer)).or_default() += 1;
            if let Some(tag) = viewer.author {
                *self.tags.entry(tag).or_default() += 1;
            }
        }
    }

    /// Removes what a socket has said.
    pub fn remove(&mut self, viewer: Option<&Arc<Viewer>>) {
        if let Some(viewer) = viewer {
            remove_one(&mut self.viewers, &key(viewer));
            if let Some(tag) = &viewer.author {
                remove_one(&mut self.tags, tag);
            }
        }
    }

    /// Who there is among so many sockets.
    pub fn list(&self, sockets: usize) -> Viewers {
        let tagged: usize = self.tags.values().sum();
        let count = sockets.saturating_sub(tagged) + self.tags.len();
        let people = self.viewers.keys().filter_map(|(_, viewer)| {
            let name = viewer.name.clone()?;
            let author = viewer.author;
            Some(Person { author, name })
        });
        Viewers {
            count: u32::try_from(count).unwrap_or(u32::MAX),
            people: first_people(people),
        }
    }
}

fn key(viewer: &Arc<Viewer>) -> Key {
    (viewer.author.is_none(), Arc::clone(viewer))
}

fn remove_one<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// The first of these people, who are sorted. One with several names is listed under the first.
fn first_people(people: impl Iterator<Item = Person>) -> Vec<Person> {
    let mut first: Vec<Person> = Vec::new();
    for person in people {
        match first.last() {
            Some(last) if is_same(last, &person) || *last == person => {}
            _ if first.len() == MAX_PEOPLE => break,
            _ => first.push(person),
        }
    }
    first
}

/// Whether both are known to be the same person.
fn is_same(a: &Person, b: &Person) -> bool {
    a.author.is_some() && a.author == b.author
}
