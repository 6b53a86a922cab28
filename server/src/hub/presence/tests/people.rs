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
fn sockets_with_one_tag_are_one_person_and_each_one_without_another() {
    let mut node = Node::open();
    let counted = |node: &mut Node| {
        node.pass(5 * SECOND);
        let (_, viewers) = node.told.last().unwrap();
        let names = viewers.people.iter().map(|it| it.name.to_string());
        (viewers.count, names.collect::<Vec<_>>().join(" "))
    };
    // The first socket says nothing; the others are those of a person with three tabs, one of another name and one of
    // none, and of two namesakes without a tag.
    let unnamed = Viewer {
        name: None,
        ..Viewer::clone(&viewer(&tagged('b', "Bob")))
    };
    let tabs = [
        viewer(&tagged('b', "Bob")),
        viewer(&tagged('b', "Bert")),
        Arc::new(unnamed),
        viewer(&person("Ada")),
        viewer(&person("Ada")),
    ];
    for tab in &tabs {
        node.join();
        node.presence.rename(None, Some(tab), node.now);
    }
    assert_eq!(counted(&mut node), (4, "Bert Ada".to_owned()));
    let (_, published, _) = node.published.last().unwrap();
    assert_eq!((published.count, published.people.len()), (4, 2));
    for (gone, left) in [(1, (4, "Bob Ada")), (2, (4, "Bob Ada")), (0, (3, "Ada"))] {
        node.sockets -= 1;
        node.presence.on_left(Some(&tabs[gone]), node.now);
        assert_eq!(counted(&mut node), (left.0, left.1.to_owned()));
    }
}

#[test]
fn a_person_with_tabs_at_several_nodes_counts_once() {
    let mut node = Node::open();
    node.presence
        .rename(None, Some(&viewer(&tagged('b', "Bob"))), node.now);
    for (other, people) in [
        (7, vec![tagged('a', "Zoe"), tagged('b', "Bert")]),
        (8, vec![tagged('b', "Bob"), person("Ada")]),
        (9, vec![person("Ada")]),
    ] {
        let count = 1 + u32::try_from(people.len()).unwrap();
        let digest = Digest {
            people,
            ..digest(other, count)
        };
        node.presence.on_digest(digest, node.now, 0.0).unwrap();
    }
    node.pass(5 * SECOND);
    let (_, viewers) = node.told.last().unwrap();
    // Bob, Zoe, two who are called Ada, and one of each other node without a name.
    assert_eq!(viewers.count, 7);
    let people = [tagged('a', "Zoe"), tagged('b', "Bert"), person("Ada")];
    assert_eq!(viewers.people, people);
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
