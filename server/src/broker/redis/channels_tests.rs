use std::sync::Mutex;

use futures::FutureExt;

use super::*;
use crate::broker::conformance::{some_frame, some_topic};

/// Notes on which topics something was delivered.
#[derive(Default)]
struct Noted(Mutex<Vec<Topic>>);

impl Deliver for Noted {
    fn deliver(&self, topic: Topic, _: Frame) {
        self.0.lock().unwrap().push(topic);
    }

    fn interrupted(&self) {}

    fn repaired(&self) {}
}

struct Fixture {
    channels: Channels,
    noted: Arc<Noted>,
}

impl Fixture {
    /// On connection 1.
    fn new() -> Self {
        let noted = Arc::new(Noted::default());
        let receiver = Receiver::default();
        let taker: Arc<dyn Deliver> = Arc::<Noted>::clone(&noted);
        assert!(receiver.set(taker).is_ok());
        let channels = Channels::new(receiver);
        assert_eq!(channels.connected(1), 0);
        Self { channels, noted }
    }

    /// With one topic that is subscribed.
    fn subscribed() -> (Self, Topic) {
        let (it, topic) = (Self::new(), some_topic());
        let confirmation = it.channels.subscribe(topic).unwrap();
        it.channels.confirmed(1, &it.batch());
        assert!(is_confirmed(confirmation));
        (it, topic)
    }

    fn batch(&self) -> Batch {
        let batch = self.channels.next_batch(10).now_or_never();
        batch.unwrap_or_default()
    }

    fn delivers(&self, generation: Generation, topic: Topic) -> bool {
        let before = self.noted.0.lock().unwrap().len();
        self.channels.deliver(generation, topic, some_frame(""));
        self.noted.0.lock().unwrap().len() > before
    }
}

fn is_confirmed(confirmation: Confirmation) -> bool {
    confirmation.is_none_or(|confirmation| confirmation.now_or_never() == Some(Ok(())))
}

fn is_refused(confirmation: Confirmation) -> bool {
    confirmation.is_some_and(|it| matches!(it.now_or_never(), Some(Err(_))))
}

#[test]
fn frames_of_a_connection_that_was_replaced_are_not_delivered() {
    let (it, topic) = Fixture::subscribed();
    assert!(it.delivers(1, topic));
    it.channels.lost();
    assert!(!it.delivers(1, topic));
    it.channels.connected(2);
    assert!(!it.delivers(1, topic));
    assert!(it.delivers(2, topic));
}

#[test]
fn frames_of_a_topic_that_was_given_up_are_not_delivered() {
    let (it, topic) = Fixture::subscribed();
    let confirmation = it.channels.unsubscribe(topic);
    assert!(
        !it.delivers(1, topic),
        "though the server knows nothing yet"
    );
    let batch = it.batch();
    assert_eq!(
        (batch.subscribe, &batch.unsubscribe),
        (vec![], &vec![topic])
    );
    it.channels.confirmed(
        1,
        &Batch {
            unsubscribe: vec![topic],
            ..Batch::default()
        },
    );
    assert!(is_confirmed(confirmation));
    assert!(!it.delivers(1, topic) && !it.delivers(1, some_topic()));
}

#[test]
fn a_confirmation_of_a_connection_that_was_replaced_confirms_nothing() {
    let (it, topic) = (Fixture::new(), some_topic());
    it.channels.lost();
    it.channels.connected(2);
    let confirmation = it.channels.subscribe(topic).unwrap().unwrap();
    let batch = it.batch();
    it.channels.confirmed(1, &batch);
    let confirmation = confirmation.shared();
    assert_eq!(confirmation.clone().now_or_never(), None);
    it.channels.confirmed(2, &batch);
    assert_eq!(confirmation.now_or_never(), Some(Ok(())));
}

#[test]
fn what_was_confirmed_is_subscribed_again_and_the_rest_is_refused() {
    let (it, kept) = Fixture::subscribed();
    let pending = it.channels.subscribe(some_topic()).unwrap();
    it.channels.lost();
    assert!(is_refused(pending));
    assert!(
        it.channels.subscribe(some_topic()).is_err(),
        "no connection"
    );
    assert_eq!(it.channels.connected(2), 1);
    assert_eq!(it.batch().subscribe, [kept]);
    assert_eq!(it.batch().taken, 0);
}

#[test]
fn a_topic_that_is_given_up_without_a_connection_is_forgotten() {
    let (it, topic) = Fixture::subscribed();
    it.channels.lost();
    assert!(it.channels.unsubscribe(topic).is_none());
    assert_eq!(it.channels.connected(2), 0);
}

#[test]
fn a_topic_that_is_given_up_while_it_is_being_subscribed_is_unsubscribed_after() {
    let (it, topic) = (Fixture::new(), some_topic());
    let wanted = it.channels.subscribe(topic).unwrap();
    let batch = it.batch();
    let given_up = it.channels.unsubscribe(topic);
    assert!(is_refused(wanted));
    it.channels.confirmed(1, &batch);
    let batch = it.batch();
    assert_eq!(batch.unsubscribe, [topic]);
    it.channels.confirmed(1, &batch);
    assert!(is_confirmed(given_up));
}

#[test]
fn a_topic_that_comes_and_goes_before_the_server_hears_of_it_costs_no_command() {
    let (it, topic) = (Fixture::new(), some_topic());
    let wanted = it.channels.subscribe(topic).unwrap();
    let given_up = it.channels.unsubscribe(topic);
    let batch = it.batch();
    assert!(batch.subscribe.is_empty() && batch.unsubscribe.is_empty());
    assert!(is_refused(wanted) && is_confirmed(given_up));
}

#[test]
fn whoever_stops_waiting_withdraws_and_whoever_was_answered_does_not() {
    let (it, kept) = Fixture::subscribed();
    assert!(it.channels.withdraw(kept).is_ok());
    let topic = some_topic();
    drop(it.channels.subscribe(topic));
    assert!(it.channels.withdraw(topic).is_err());
    assert!(!it.delivers(1, topic) && it.delivers(1, kept));
    it.channels.lost();
    assert!(
        it.channels.withdraw(kept).is_err(),
        "not confirmed any more"
    );
    assert_eq!(it.channels.connected(2), 1, "but still wanted");
}

#[test]
fn an_end_that_nobody_asked_for_is_told_from_one_that_was() {
    let (it, topic) = Fixture::subscribed();
    assert!(it.channels.has_ended_unasked(1, topic));
    drop(it.channels.unsubscribe(topic));
    let batch = it.batch();
    drop(it.channels.subscribe(topic));
    assert!(
        !it.channels.has_ended_unasked(1, topic),
        "its own end, and wanted again"
    );
    it.channels.confirmed(1, &batch);
    assert_eq!(it.batch().subscribe, [topic]);
    assert!(!it.channels.has_ended_unasked(1, some_topic()));
}

#[test]
fn batches_are_bounded() {
    let it = Fixture::new();
    for _ in 0..25 {
        drop(it.channels.subscribe(some_topic()));
    }
    let sizes: Vec<_> = (0..3).map(|_| it.batch().subscribe.len()).collect();
    assert_eq!(sizes, [10, 10, 5]);
}

#[test]
fn what_retires_goes_over_whole() {
    let (old, topic) = Fixture::subscribed();
    let pending = old.channels.subscribe(some_topic()).unwrap();
    let topics = old.channels.retire();
    assert_eq!(topics, [topic]);
    assert!(is_refused(pending) && !old.delivers(1, topic));
    assert!(old.channels.subscribe(topic).is_err());
    let new = Channels::new(Receiver::default());
    new.adopt(topics);
    assert_eq!(new.connected(1), 1);
}
