use std::sync::Mutex;

use futures::FutureExt;

use super::*;
use crate::broker::conformance::{some_frame, some_topic};

/// Records the topics of delivered frames.
#[derive(Default)]
struct RecordingReceiver(Mutex<Vec<UploadId>>);

impl Deliver for RecordingReceiver {
    fn deliver(&self, topic: UploadId, _: Frame) {
        self.0.lock().unwrap().push(topic);
    }

    fn interrupted(&self) {}

    fn repaired(&self) {}
}

struct Fixture {
    channels: Channels,
    receiver: Arc<RecordingReceiver>,
}

impl Fixture {
    /// Connected, with connection number 1.
    fn new() -> Self {
        let receiver = Arc::new(RecordingReceiver::default());
        let attached = Receiver::default();
        let as_deliver: Arc<dyn Deliver> = Arc::<RecordingReceiver>::clone(&receiver);
        assert!(attached.set(as_deliver).is_ok());
        let channels = Channels::new(attached);
        assert_eq!(channels.connected(1), 0);
        Self { channels, receiver }
    }

    /// Connected, and subscribed to a topic.
    fn subscribed() -> (Self, UploadId) {
        let (it, topic) = (Self::new(), some_topic());
        let confirmation = it.channels.subscribe(topic).unwrap();
        it.channels.confirmed(1, &it.batch());
        assert!(is_confirmed(confirmation));
        (it, topic)
    }

    fn batch(&self) -> CommandBatch {
        let batch = self.channels.next_batch(10).now_or_never();
        batch.unwrap_or_default()
    }

    fn delivers(&self, connection: ConnectionNumber, topic: UploadId) -> bool {
        let before = self.receiver.0.lock().unwrap().len();
        self.channels.deliver(connection, topic, some_frame(""));
        self.receiver.0.lock().unwrap().len() > before
    }
}

fn is_confirmed(confirmation: Confirmation) -> bool {
    confirmation.is_none_or(|confirmation| confirmation.now_or_never() == Some(Ok(())))
}

fn has_failed(confirmation: Confirmation) -> bool {
    confirmation.is_some_and(|it| matches!(it.now_or_never(), Some(Err(_))))
}

#[test]
fn frames_of_a_connection_that_was_replaced_are_not_delivered() {
    let (it, topic) = Fixture::subscribed();
    assert!(it.delivers(1, topic));
    it.channels.disconnected();
    assert!(!it.delivers(1, topic));
    it.channels.connected(2);
    assert!(!it.delivers(1, topic));
    assert!(it.delivers(2, topic));
}

#[test]
fn frames_of_an_unsubscribed_topic_are_not_delivered() {
    let (it, topic) = Fixture::subscribed();
    let confirmation = it.channels.unsubscribe(topic);
    assert!(!it.delivers(1, topic), "before the server knows");
    let batch = it.batch();
    assert_eq!(
        (batch.subscribe, &batch.unsubscribe),
        (vec![], &vec![topic])
    );
    it.channels.confirmed(
        1,
        &CommandBatch {
            unsubscribe: vec![topic],
            ..CommandBatch::default()
        },
    );
    assert!(is_confirmed(confirmation));
    assert!(!it.delivers(1, topic) && !it.delivers(1, some_topic()));
}

#[test]
fn a_confirmation_of_a_connection_that_was_replaced_confirms_nothing() {
    let (it, topic) = (Fixture::new(), some_topic());
    it.channels.disconnected();
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
fn confirmed_channels_are_subscribed_again_and_requested_ones_fail() {
    let (it, kept) = Fixture::subscribed();
    let pending = it.channels.subscribe(some_topic()).unwrap();
    it.channels.disconnected();
    assert!(has_failed(pending));
    assert!(
        it.channels.subscribe(some_topic()).is_err(),
        "no connection"
    );
    assert_eq!(it.channels.connected(2), 1);
    assert_eq!(it.batch().subscribe, [kept]);
    assert_eq!(it.batch().dequeued, 0);
}

#[test]
fn a_topic_that_is_unsubscribed_without_a_connection_is_removed() {
    let (it, topic) = Fixture::subscribed();
    it.channels.disconnected();
    assert!(it.channels.unsubscribe(topic).is_none());
    assert_eq!(it.channels.connected(2), 0);
}

#[test]
fn a_topic_that_is_unsubscribed_during_its_subscription_is_unsubscribed_afterwards() {
    let (it, topic) = (Fixture::new(), some_topic());
    let requested = it.channels.subscribe(topic).unwrap();
    let batch = it.batch();
    let ended = it.channels.unsubscribe(topic);
    assert!(has_failed(requested));
    it.channels.confirmed(1, &batch);
    let batch = it.batch();
    assert_eq!(batch.unsubscribe, [topic]);
    it.channels.confirmed(1, &batch);
    assert!(is_confirmed(ended));
}

#[test]
fn a_subscription_that_ends_before_it_is_sent_costs_no_command() {
    let (it, topic) = (Fixture::new(), some_topic());
    let requested = it.channels.subscribe(topic).unwrap();
    let ended = it.channels.unsubscribe(topic);
    let batch = it.batch();
    assert!(batch.subscribe.is_empty() && batch.unsubscribe.is_empty());
    assert!(has_failed(requested) && is_confirmed(ended));
}

#[test]
fn cancelling_ends_only_unconfirmed_subscriptions() {
    let (it, kept) = Fixture::subscribed();
    assert!(it.channels.cancel(kept));
    let topic = some_topic();
    drop(it.channels.subscribe(topic));
    assert!(!it.channels.cancel(topic));
    assert!(!it.delivers(1, topic) && it.delivers(1, kept));
    it.channels.disconnected();
    assert!(!it.channels.cancel(kept), "not confirmed any more");
    assert_eq!(it.channels.connected(2), 1, "but still desired");
}

#[test]
fn an_unexpected_end_is_distinguished_from_a_requested_one() {
    let (it, topic) = Fixture::subscribed();
    assert!(it.channels.on_subscription_ended(1, topic));
    drop(it.channels.unsubscribe(topic));
    let batch = it.batch();
    drop(it.channels.subscribe(topic));
    assert!(
        !it.channels.on_subscription_ended(1, topic),
        "it was requested, and the topic is desired again"
    );
    it.channels.confirmed(1, &batch);
    assert_eq!(it.batch().subscribe, [topic]);
    assert!(!it.channels.on_subscription_ended(1, some_topic()));
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
fn all_confirmed_channels_can_be_moved_to_another_server() {
    let (old, topic) = Fixture::subscribed();
    let pending = old.channels.subscribe(some_topic()).unwrap();
    let topics = old.channels.take_all();
    assert_eq!(topics, [topic]);
    assert!(has_failed(pending) && !old.delivers(1, topic));
    assert!(old.channels.subscribe(topic).is_err());
    let new = Channels::new(Receiver::default());
    new.adopt(topics);
    assert_eq!(new.connected(1), 1);
}
