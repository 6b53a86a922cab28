use super::*;

mod people;

const SECOND: Duration = Duration::from_secs(1);

/// A presence with a clock and a number of own sockets, whose sockets and digests are recorded.
struct Node {
    presence: Presence,
    now: Instant,
    sockets: usize,
    /// When what was told to all sockets.
    told: Vec<(Instant, Viewers)>,
    /// When what was published.
    published: Vec<(Instant, Viewers, bool)>,
}

impl Node {
    /// A node whose first socket has joined, and been told so.
    fn open() -> Self {
        let mut node = Self {
            presence: Presence::default(),
            now: Instant::now(),
            sockets: 1,
            told: Vec::new(),
            published: Vec::new(),
        };
        node.presence.open(node.now);
        node.pass(SECOND * 5);
        assert_eq!(node.last(), 1);
        node
    }

    /// Lets time pass, and does what is due.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.presence.next_due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let Due { digest, event } = self.presence.take_due(self.sockets, self.now);
            if let Some((viewers, asks)) = digest {
                self.published.push((self.now, viewers, asks));
            }
            if let Some(Event::ToAll(viewers)) = event {
                self.told.push((self.now, viewers));
            }
        }
        self.now = end;
    }

    fn join(&mut self) {
        self.sockets += 1;
        self.presence.on_joined(self.now);
    }

    fn leave(&mut self) {
        self.sockets -= 1;
        self.presence.on_left(None, self.now);
    }

    fn hear(&mut self, node: u64, count: u32) -> Result<(), &'static str> {
        self.presence
            .on_digest(digest(node, count), self.now, 0.999)
    }

    /// The count that was told last.
    fn last(&self) -> u32 {
        self.told.last().map_or(0, |(_, viewers)| viewers.count)
    }
}

fn digest(node: u64, count: u32) -> Digest {
    Digest {
        node,
        count,
        people: Vec::new(),
        hello: false,
    }
}

#[test]
fn the_first_digest_asks_the_others_whose_answers_are_in_the_first_event() {
    let mut node = Node::open();
    assert!(matches!(node.published[..], [(_, _, true)]));
    node.presence.close(node.now);
    node.presence.open(node.now);
    let opened = node.now;
    node.presence.on_watched(0, node.now);
    node.pass(HELLO_DELAY);
    // The slowest answer: the other one has just published.
    node.pass(ANSWER_SPREAD + DIGEST_INTERVAL);
    node.hear(7, 2).unwrap();
    node.told.clear();
    node.pass(SECOND);
    assert_eq!(node.told.len(), 1);
    assert_eq!(node.last(), 3);
    assert!(node.told[0].0 <= opened + 2 * SECOND);
}

#[test]
fn a_hello_is_answered_soon_but_not_every_time() {
    let mut node = Node::open();
    node.published.clear();
    let asked = node.now;
    for other in 0..50 {
        let mut hello = digest(other, 1);
        hello.hello = true;
        node.presence.on_digest(hello, node.now, 0.999).unwrap();
        node.pass(Duration::from_millis(10));
    }
    node.pass(SECOND);
    let answers = node.published.len();
    assert!((2..=4).contains(&answers), "{answers} in half a second");
    assert!(node.published[0].0 <= asked + ANSWER_SPREAD);
}

#[test]
fn churn_is_one_event_in_two_seconds_and_four_digests_a_second() {
    let mut node = Node::open();
    node.told.clear();
    node.published.clear();
    for n in 0..1_000 {
        if n % 2 == 0 {
            node.join();
        } else {
            node.leave();
        }
        node.hear(7, 1 + n % 3).unwrap();
        node.pass(Duration::from_millis(10));
    }
    assert!((4..=6).contains(&node.told.len()), "{}", node.told.len());
    for pair in node.told.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= EVENT_INTERVAL);
    }
    assert!(node.published.len() <= 41, "{}", node.published.len());
}

#[test]
fn a_change_is_told_within_two_seconds_and_a_change_back_is_not() {
    let mut node = Node::open();
    node.join();
    node.pass(SECOND);
    assert_eq!(node.last(), 2);
    // At the worst moment: just after an event.
    node.leave();
    node.pass(2 * SECOND);
    assert_eq!(node.last(), 1);
    node.pass(5 * SECOND);
    node.told.clear();
    node.leave();
    node.pass(SECOND / 2);
    node.join();
    node.pass(5 * SECOND);
    assert_eq!(node.told, [], "a page that is loaded again changes nothing");
}

#[test]
fn who_watches_again_is_told_alone() {
    let mut node = Node::open();
    node.presence.on_watched(7, node.now);
    let at = node.presence.next_due().unwrap();
    assert!(at <= node.now + EVENT_INTERVAL);
    let due = node.presence.take_due(1, at);
    let Some(Event::To(slots, viewers)) = due.event else {
        panic!("{due:?}");
    };
    assert_eq!((slots, viewers.count), (BTreeSet::from([7]), 1));
    assert_eq!(due.digest, None);
    let repeated = [node.presence.repeat_at(), node.presence.event_repeat_at];
    assert_eq!(
        node.presence.next_due(),
        repeated.into_iter().flatten().min(),
        "then only what was said before is repeated"
    );
}

#[test]
fn digests_are_repeated_less_often_while_no_others_are_known() {
    let mut node = Node::open();
    node.published.clear();
    node.pass(100 * SECOND);
    assert_eq!(node.published.len(), 3, "alone");
    node.published.clear();
    node.hear(7, 1).unwrap();
    for _ in 0..100 {
        node.pass(SECOND);
        node.hear(7, 1).unwrap();
    }
    assert!((6..=7).contains(&node.published.len()));
    node.hear(7, 0).unwrap();
    node.pass(5 * SECOND);
    node.published.clear();
    node.pass(100 * SECOND);
    assert!((3..=4).contains(&node.published.len()), "alone again");
    assert_eq!(node.last(), 1);
}

#[test]
fn a_node_that_is_silent_is_forgotten_within_45_seconds_and_not_after_one_lost_digest() {
    let mut node = Node::open();
    node.hear(7, 3).unwrap();
    node.pass(Duration::from_secs(30));
    assert_eq!(node.last(), 4);
    node.pass(Duration::from_secs(15));
    assert_eq!(node.last(), 1);
}

#[test]
fn a_change_is_told_once_more_and_then_no_more() {
    let mut node = Node::open();
    node.join();
    node.pass(5 * SECOND);
    assert_eq!(node.last(), 2);
    node.told.clear();
    node.pass(100 * SECOND);
    assert_eq!(node.told.len(), 1);
    assert_eq!(node.last(), 2);
    // Not within two seconds of another event.
    node.leave();
    node.pass(SECOND);
    let (left, _) = *node.told.last().unwrap();
    node.pass(left + EVENT_REPEAT_DELAY - SECOND - node.now);
    node.told.clear();
    node.join();
    node.pass(100 * SECOND);
    assert_eq!(node.told.len(), 2);
    assert!(node.told[1].0 - node.told[0].0 >= EVENT_INTERVAL);
}

#[test]
fn after_the_last_viewer_a_count_of_0_is_published_at_once() {
    let mut node = Node::open();
    node.published.clear();
    node.sockets = 0;
    node.presence.on_left(None, node.now);
    node.presence.close(node.now);
    let left = node.now;
    node.pass(100 * SECOND);
    assert_eq!(node.published, [(left, Viewers::default(), false)]);
    assert_eq!(node.presence.next_due(), None);
}

#[test]
fn nodes_that_have_viewers_are_told_again_that_the_last_one_left() {
    let mut node = Node::open();
    node.hear(7, 1).unwrap();
    node.pass(SECOND);
    node.published.clear();
    node.sockets = 0;
    node.presence.close(node.now);
    let left = node.now;
    node.pass(100 * SECOND);
    let times: Vec<_> = node.published.iter().map(|it| it.0 - left).collect();
    assert_eq!(times, [0, 5, 10, 15].map(Duration::from_secs));
    assert!(node.published.iter().all(|it| it.1 == Viewers::default()));
    assert_eq!(node.presence.next_due(), None);
    // Not once somebody is back.
    node.sockets = 1;
    node.presence.open(node.now);
    node.hear(7, 1).unwrap();
    node.presence.close(node.now);
    node.pass(SECOND);
    node.presence.open(node.now);
    node.published.clear();
    node.pass(20 * SECOND);
    assert!(node.published.iter().all(|it| it.1.count == 1));
}

#[test]
fn who_comes_and_goes_all_the_time_causes_four_digests_a_second() {
    let mut node = Node::open();
    node.published.clear();
    for n in 0..1_000 {
        node.sockets = n % 2;
        if n % 2 == 0 {
            node.presence.close(node.now);
        } else {
            node.presence.open(node.now);
        }
        node.pass(Duration::from_millis(10));
    }
    assert!(node.published.len() <= 41, "{}", node.published.len());
}

#[test]
fn invented_nodes_take_bounded_memory() {
    let mut node = Node::open();
    for other in 0..MAX_NODES as u64 {
        node.hear(other, 1).unwrap();
    }
    assert!(node.hear(1_000, 1).is_err());
    assert!(node.hear(3, 2).is_ok(), "a known one is heard");
    assert!(node.hear(1_000, 0).is_ok());
    node.pass(5 * SECOND);
    assert_eq!(node.last(), 1 + 64 + 1);
}

#[test]
fn a_digest_that_no_node_publishes_is_refused() {
    let text = |count: u64, people: &str| {
        format!(r#"{{"node":1,"count":{count},"people":[{people}],"later":1}}"#)
    };
    assert_eq!(Digest::parse(&text(3, "")), Ok(digest(1, 3)));
    let many = vec![r#"{"name":"Ada"}"#; 25].join(",");
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(41));
    for wrong in [
        text(1_000_001, ""),
        text(u64::MAX, ""),
        text(3, &many),
        text(3, &long),
        text(3, r#"{"name":"a\nb"}"#),
        text(3, r#"{"name":"Ada","author":"<b>"}"#),
        text(3, "").replace("1,\"count", "-1,\"count"),
        "{}".to_owned(),
        String::new(),
    ] {
        assert!(Digest::parse(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_interruption_makes_the_node_ask_again() {
    let mut node = Node::open();
    node.published.clear();
    node.presence.on_repaired(node.now, 0.5);
    node.pass(REPAIR_SPREAD);
    assert!(matches!(node.published[..], [(_, _, true)]));
}

#[test]
fn a_digest_that_could_not_be_published_is_published_again() {
    let mut node = Node::open();
    node.published.clear();
    node.presence.on_publish_failed(true, node.now);
    node.pass(2 * SECOND);
    assert!(matches!(node.published[..], [(_, _, true)]));
}
