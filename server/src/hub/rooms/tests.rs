//! Uses a broker whose answers the tests delay or turn into errors.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::*;
use crate::broker::{Deliver, DeliveryClass};
use crate::{ids, websocket};
use app::model::{Cursor, LogPage, Seq, UploadRef};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Subscribe,
    Unsubscribe,
}

struct ControlledBroker {
    /// A call is answered when it gets a permit.
    permits: Semaphore,
    fails: AtomicBool,
    running: Mutex<HashSet<UploadId>>,
    calls: watch::Sender<Vec<(Call, UploadId)>>,
}

impl ControlledBroker {
    fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(permits),
            fails: AtomicBool::new(false),
            running: Mutex::default(),
            calls: watch::Sender::new(Vec::new()),
        })
    }

    async fn call(&self, call: Call, topic: UploadId) -> Result<(), BrokerError> {
        assert!(
            self.running.lock().unwrap().insert(topic),
            "only one transition of a topic runs at a time"
        );
        self.calls.send_modify(|calls| calls.push((call, topic)));
        self.permits.acquire().await.unwrap().forget();
        self.running.lock().unwrap().remove(&topic);
        if self.fails.load(Ordering::Relaxed) {
            Err(BrokerError::UNAVAILABLE)
        } else {
            Ok(())
        }
    }

    fn answer(&self, calls: usize) {
        self.permits.add_permits(calls);
    }

    fn calls_of(&self, topic: UploadId) -> Vec<Call> {
        self.calls
            .borrow()
            .iter()
            .filter(|(_, of)| *of == topic)
            .map(|(call, _)| *call)
            .collect()
    }

    async fn wait_for_calls(&self, count: usize) {
        self.calls
            .subscribe()
            .wait_for(|calls| calls.len() >= count)
            .await
            .unwrap();
    }
}

#[async_trait]
impl Broker for ControlledBroker {
    fn attach(&self, _receiver: Arc<dyn Deliver>) {}

    async fn publish(&self, _topic: UploadId, _frame: Frame) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn subscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.call(Call::Subscribe, topic).await
    }

    async fn unsubscribe(&self, topic: UploadId) -> Result<(), BrokerError> {
        self.call(Call::Unsubscribe, topic).await
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        Ok(())
    }
}

fn rooms(broker: &Arc<ControlledBroker>) -> (Arc<Rooms>, TaskTracker) {
    let tasks = TaskTracker::new();
    let broker: Arc<dyn Broker> = broker.clone();
    (
        Arc::new(Rooms::new(
            broker,
            HubMetrics::default(),
            tasks.clone(),
            CancellationToken::new(),
        )),
        tasks,
    )
}

/// An upload that never expires.
fn upload(topic: UploadId) -> WatchedUpload {
    WatchedUpload {
        topic,
        short_id: ids::short_id(),
        expires_at: None,
    }
}

/// An outbox of which nobody reads.
fn outbox() -> Arc<Outbox> {
    Outbox::in_memory(0, Arc::default()).0
}

/// Waits until no transition is running.
async fn wait_until_idle(tasks: &TaskTracker) {
    tasks.close();
    let over = timeout(Duration::from_secs(10), tasks.wait()).await;
    assert!(over.is_ok(), "every transition ends");
    tasks.reopen();
}

#[tokio::test]
async fn the_first_watcher_subscribes_the_node_and_the_last_one_unsubscribes_it() {
    let broker = ControlledBroker::new(usize::MAX >> 8);
    let (rooms, tasks) = rooms(&broker);
    let topic = ids::upload_id();
    let first = rooms.join(upload(topic), outbox()).await.unwrap();
    let second = rooms.join(upload(topic), outbox()).await.unwrap();
    rooms.leave(first);
    wait_until_idle(&tasks).await;
    assert_eq!(broker.calls_of(topic), [Call::Subscribe]);

    rooms.leave(second);
    wait_until_idle(&tasks).await;
    assert_eq!(broker.calls_of(topic), [Call::Subscribe, Call::Unsubscribe]);
    assert_eq!(rooms.len(), 0);
}

#[tokio::test]
async fn a_failed_subscription_fails_for_all_who_wait_and_is_rolled_back() {
    let broker = ControlledBroker::new(0);
    broker.fails.store(true, Ordering::Relaxed);
    let (rooms, tasks) = rooms(&broker);
    let topic = ids::upload_id();
    let joins = join_all((0..5).map(|_| rooms.join(upload(topic), outbox())));
    let (results, ()) = tokio::join!(joins, async {
        broker.wait_for_calls(1).await;
        broker.answer(1);
    });
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(BrokerError::Unavailable(_))))
    );
    wait_until_idle(&tasks).await;
    assert_eq!(rooms.len(), 0);

    broker.fails.store(false, Ordering::Relaxed);
    broker.answer(1);
    rooms
        .join(upload(topic), outbox())
        .await
        .expect("the broker is back");
    assert_eq!(broker.calls_of(topic), [Call::Subscribe, Call::Subscribe]);
}

#[tokio::test]
async fn a_watcher_that_joins_while_the_node_unsubscribes_is_subscribed_again() {
    let broker = ControlledBroker::new(1);
    let (rooms, tasks) = rooms(&broker);
    let topic = ids::upload_id();
    let first = rooms.join(upload(topic), outbox()).await.unwrap();
    rooms.merge_page(topic, &LogPage::default(), rooms.begin_read(topic).unwrap());
    assert!(rooms.recent(topic, Cursor::default()).is_some());
    rooms.leave(first);
    broker.wait_for_calls(2).await;
    let again = tokio::spawn({
        let rooms = Arc::clone(&rooms);
        async move { rooms.join(upload(topic), outbox()).await }
    });
    tokio::task::yield_now().await;
    assert!(
        !again.is_finished(),
        "nothing is confirmed while the node unsubscribes"
    );
    let begun = rooms.begin_read(topic).unwrap();
    broker.answer(2);
    again.await.unwrap().unwrap();
    wait_until_idle(&tasks).await;
    assert_eq!(
        broker.calls_of(topic),
        [Call::Subscribe, Call::Unsubscribe, Call::Subscribe]
    );
    // Frames were missed in between, also since a read began.
    assert_eq!(rooms.recent(topic, Cursor::default()), None);
    rooms.merge_page(topic, &LogPage::default(), begun);
    assert_eq!(rooms.recent(topic, Cursor::default()), None);
    rooms.merge_page(topic, &LogPage::default(), rooms.begin_read(topic).unwrap());
    assert!(rooms.recent(topic, Cursor::default()).is_some());
}

#[tokio::test]
async fn a_cancelled_join_leaves_no_member_and_no_subscription() {
    let broker = ControlledBroker::new(0);
    let (rooms, tasks) = rooms(&broker);
    let topic = ids::upload_id();
    let waiting = tokio::spawn({
        let rooms = Arc::clone(&rooms);
        async move { rooms.join(upload(topic), outbox()).await.map(drop) }
    });
    broker.wait_for_calls(1).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    broker.answer(2);
    wait_until_idle(&tasks).await;
    assert_eq!(broker.calls_of(topic), [Call::Subscribe, Call::Unsubscribe]);
    assert_eq!(rooms.len(), 0);
}

#[tokio::test]
async fn a_frame_reaches_the_watchers_of_its_topic_only() {
    let broker = ControlledBroker::new(usize::MAX >> 8);
    let (rooms, tasks) = rooms(&broker);
    let (watched, other) = (ids::upload_id(), ids::upload_id());
    let (inside, inside_peer) = Outbox::in_memory(1_000, Arc::default());
    let (outside, outside_peer) = Outbox::in_memory(1_000, Arc::default());
    let _inside = rooms.join(upload(watched), inside).await.unwrap();
    let _outside = rooms.join(upload(other), outside).await.unwrap();
    rooms.deliver(
        watched,
        &Frame {
            class: DeliveryClass::Message,
            text: "to one".into(),
        },
        IncomingEvent::Touched,
    );
    rooms.deliver(
        other,
        &Frame {
            class: DeliveryClass::Message,
            text: "to the other".into(),
        },
        IncomingEvent::Touched,
    );
    wait_until_idle(&tasks).await;
    assert_eq!(inside_peer.read(1_000), websocket::text("to one"));
    assert_eq!(outside_peer.read(1_000), websocket::text("to the other"));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_joins_and_leaves_end_without_a_subscription() {
    let broker = ControlledBroker::new(usize::MAX >> 8);
    let (rooms, tasks) = rooms(&broker);
    let topics: Vec<UploadId> = (0..3).map(|_| ids::upload_id()).collect();
    let sockets = (0..200).map(|n: usize| {
        let (rooms, topic) = (Arc::clone(&rooms), topics[n % topics.len()]);
        tokio::spawn(async move {
            for _ in 0..20 {
                let membership = rooms.join(upload(topic), outbox()).await.unwrap();
                tokio::task::yield_now().await;
                rooms.leave(membership);
            }
        })
    });
    for socket in join_all(sockets).await {
        socket.unwrap();
    }
    wait_until_idle(&tasks).await;
    assert_eq!(rooms.len(), 0);
    for topic in topics {
        let calls = broker.calls_of(topic);
        assert_eq!(calls.last(), Some(&Call::Unsubscribe));
        assert!(
            calls.windows(2).all(|pair| pair[0] != pair[1]),
            "subscribe and unsubscribe alternate"
        );
    }
}

#[tokio::test]
async fn a_room_that_is_left_has_its_farewell_published_unless_it_is_watched_again() {
    let broker = ControlledBroker::new(usize::MAX >> 8);
    let (rooms, tasks) = rooms(&broker);
    let topic = ids::upload_id();
    let watch = || rooms.join(upload(topic), outbox());
    // The count of the next digest.
    let published = async || {
        loop {
            rooms.due_presences.next(1).await;
            if let Some((viewers, _)) = rooms.take_due_presence(topic).digest {
                return viewers.count;
            }
        }
    };
    let first = watch().await.unwrap();
    assert_eq!(published().await, 1);
    let before = Instant::now();
    rooms.leave(first);
    wait_until_idle(&tasks).await;
    assert_eq!(rooms.len(), 0);
    assert_eq!(published().await, 0);
    let pause = before.elapsed();
    assert!(pause > Duration::from_millis(200), "{pause:?}");
    let second = watch().await.unwrap();
    assert_eq!(published().await, 1);
    rooms.leave(second);
    wait_until_idle(&tasks).await;
    let _third = watch().await.unwrap();
    assert_eq!(published().await, 1, "it is not told that nobody watches");
}

#[tokio::test]
async fn that_an_upload_is_gone_is_asked_of_the_store_once() {
    let broker = ControlledBroker::new(9);
    let (rooms, tasks) = rooms(&broker);
    let topic = ids::upload_id();
    let member = outbox();
    let joined = rooms.join(upload(topic), Arc::clone(&member)).await;
    let _membership = joined.unwrap();
    let frame = crate::hub::refusals::gone(topic);
    assert!(!rooms.has_unconfirmed(topic));
    rooms.deliver(topic, &frame, IncomingEvent::Gone);
    assert!(rooms.has_unconfirmed(topic));
    assert_eq!(rooms.unconfirmed_topics.take(), [topic]);
    // A page that was read before the frame says nothing.
    rooms.merge_page(topic, &LogPage::default(), rooms.begin_read(topic).unwrap());
    assert!(rooms.is_doubted(topic));
    rooms.confirm_existence(topic);
    assert!(!rooms.has_unconfirmed(topic));
    let head = IncomingEvent::Head(Seq::ZERO);
    rooms.deliver(topic, &frame, head);
    assert!(rooms.unconfirmed_topics.take().is_empty());

    assert!(rooms.end(topic, &frame));
    assert!(!rooms.end(topic, &frame), "its members are told once");
    wait_until_idle(&tasks).await;
    let told = member.queued();
    rooms.interrupt(|_| frame.clone());
    wait_until_idle(&tasks).await;
    assert_eq!(member.queued(), told, "and get nothing more");
    let late = LogPage {
        head: Seq::new(3),
        ..LogPage::default()
    };
    rooms.merge_page(topic, &late, rooms.begin_read(topic).unwrap());
    assert_eq!(rooms.progress(topic).unwrap().head, Seq::ZERO);
    assert_eq!(rooms.find(UploadRef::Id(topic)), None);
}
