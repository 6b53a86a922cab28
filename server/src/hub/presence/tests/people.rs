//! Who counts, and who is listed.

use app::model::Person;

use super::*;
use crate::hub::presence::digest::MAX_PEOPLE;

fn person(name: &str) -> Person {
    Person {
        author: None,
        name: name.parse().unwrap(),
    }
}

fn tagged(tag: char, name: &str) -> Person {
    Person {
        author: tag.to_string().repeat(10).parse().ok(),
        ..person(name)
    }
}

fn viewer(person: &Person) -> Arc<Viewer> {
    Arc::new(Viewer {
        author: person.author,
        name: Some(person.name.clone()),
    })
}

fn named(count: usize) -> Vec<Person> {
    let names = (0..count).map(|n| person(&format!("name {n:03}")));
    names.collect()
}

#[test]
fn the_same_24_people_are_listed_on_every_node() {
    let all = named(100);
    let (odd, even): (Vec<_>, Vec<_>) = (0..100).partition(|n| n % 2 == 1);
    let viewers = |own: &[usize], other: &[usize]| {
        let mut node = Node::open();
        for n in own {
            let viewer = viewer(&all[*n]);
            node.presence.rename(None, Some(&viewer), node.now);
            // Of several sockets.
            node.presence.rename(None, Some(&viewer), node.now);
        }
        let people = other.iter().take(MAX_PEOPLE).map(|n| all[*n].clone());
        let people = people.collect();
        let digest = Digest {
            people,
            ..digest(7, 50)
        };
        node.presence.on_digest(digest, node.now, 0.0).unwrap();
        node.pass(5 * SECOND);
        let (_, viewers) = node.told.pop().unwrap();
        let (_, published, _) = node.published.pop().unwrap();
        assert_eq!(published.people.len(), MAX_PEOPLE);
        viewers.people
    };
    assert_eq!(viewers(&odd, &even), all[..MAX_PEOPLE]);
    assert_eq!(viewers(&even, &odd), all[..MAX_PEOPLE]);
}

#[test]
fn a_person_is_listed_until_its_last_socket_leaves_or_has_another_name() {
    let mut node = Node::open();
    let [ada, grace] = ["Ada", "Grace"].map(|name| viewer(&person(name)));
    let (ada, grace) = (Some(&ada), Some(&grace));
    let people = |node: &mut Node| {
        node.pass(5 * SECOND);
        let (_, viewers) = node.told.last().unwrap();
        viewers
            .people
            .iter()
            .map(|it| it.name.to_string())
            .collect::<Vec<_>>()
    };
    node.join();
    node.presence.rename(None, ada, node.now);
    node.presence.rename(None, ada, node.now);
    assert_eq!(people(&mut node), ["Ada"]);
    node.presence.on_left(ada, node.now);
    node.sockets -= 1;
    assert_eq!(people(&mut node), ["Ada"]);
    node.presence.rename(ada, grace, node.now);
    assert_eq!(people(&mut node), ["Grace"]);
    node.presence.rename(grace, None, node.now);
    assert!(people(&mut node).is_empty());
}

#[test]
fn every_socket_counts_and_each_person_is_listed_once() {
    let mut node = Node::open();
    // The first socket says nothing; then a person with two tabs, and two namesakes without a tag.
    let tabs = [
        tagged('b', "Bob"),
        tagged('b', "Bob"),
        person("Ada"),
        person("Ada"),
    ];
    for tab in &tabs {
        node.join();
        node.presence.rename(None, Some(&viewer(tab)), node.now);
    }
    let digest = Digest {
        people: vec![tagged('a', "Zoe"), tagged('b', "Bob")],
        ..digest(7, 3)
    };
    node.presence.on_digest(digest, node.now, 0.0).unwrap();
    node.pass(5 * SECOND);
    let (_, viewers) = node.told.last().unwrap();
    assert_eq!(viewers.count, 8);
    let people = [tagged('a', "Zoe"), tagged('b', "Bob"), person("Ada")];
    assert_eq!(viewers.people, people);
    let (_, published, _) = node.published.last().unwrap();
    assert_eq!((published.count, &*published.people), (5, &people[1..]));
}

#[test]
fn those_without_a_tag_do_not_displace_those_with_one() {
    let mut node = Node::open();
    for n in 0..MAX_PEOPLE {
        node.join();
        let viewer = viewer(&person(&format!("A {n}")));
        node.presence.rename(None, Some(&viewer), node.now);
    }
    node.join();
    let zoe = tagged('z', "Zoe");
    node.presence.rename(None, Some(&viewer(&zoe)), node.now);
    node.pass(5 * SECOND);
    let (_, viewers) = node.told.last().unwrap();
    assert_eq!(viewers.people.len(), MAX_PEOPLE);
    assert_eq!(viewers.people[0], zoe);
    let (_, published, _) = node.published.last().unwrap();
    assert_eq!(published.people[0], zoe);
}
