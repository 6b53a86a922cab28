//! Sockets join and leave while the node's subscription changes and frames arrive.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use app::model::UploadId;
use async_trait::async_trait;
use shuttle::future::{block_on, spawn, yield_now};
use shuttle::thread;

use super::*;
use crate::broker::{Deliver, DeliveryClass};
use crate::hub::batch::Batch;
use crate::ids;
use crate::sync::explore;
use crate::websocket::Peer;

/// A broker that takes its time, and refuses the first subscriptions and does not confirm that they end.
#[derive(Default)]
struct SlowBroker {
    is_subscribed: AtomicBool,
    is_busy: AtomicBool,
    refusals: AtomicUsize,
}

impl SlowBroker {
    async fn change(&self, is_subscribed: bool) {
        let was_busy = self.is_busy.swap(true, Ordering::SeqCst);
        assert!(!was_busy, "one transition at a time");
        yield_now().await;
        let was_subscribed = self.is_subscribed.swap(is_subscribed, Ordering::SeqCst);
        assert_ne!(was_subscribed, is_subscribed, "they alternate");
        yield_now().await;
        self.is_busy.store(false, Ordering::SeqCst);
    }

    fn is_subscribed(&self) -> bool {
        self.is_subscribed.load(Ordering::SeqCst)
    }

    /// Fails as long as there are refusals.
    async fn refuse(&self) -> Result<(), BrokerError> {
        yield_now().await;
        let order = Ordering::SeqCst;
        let refusing = self
            .refusals
            .try_update(order, order, |left| left.checked_sub(1));
        refusing.map_or(Ok(()), |_| Err(BrokerError::UNAVAILABLE))
    }
}

#[async_trait]
impl Broker for SlowBroker {
    fn attach(&self, _receiver: Arc<dyn Deliver>) {}

    async fn publish(&self, _topic: UploadId, _frame: Frame) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn subscribe(&self, _topic: UploadId) -> Result<(), BrokerError> {
        self.refuse().await?;
        self.change(true).await;
        Ok(())
    }

    async fn unsubscribe(&self, _topic: UploadId) -> Result<(), BrokerError> {
        self.change(false).await;
        self.refuse().await
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        Ok(())
    }
}

fn rooms(broker: &Arc<SlowBroker>) -> Arc<Rooms> {
    let broker: Arc<dyn Broker> = broker.clone();
    let (metrics, tasks) = (HubMetrics::default(), TaskTracker::new());
    let rooms = Rooms::new(broker, metrics, tasks, CancellationToken::new());
    Arc::new(rooms)
}

fn upload() -> WatchedUpload {
    WatchedUpload {
        topic: ids::upload_id(),
        short_id: ids::short_id(),
        expires_at: None,
    }
}

fn outbox() -> (Arc<Outbox>, Peer) {
    Outbox::in_memory(1_000, Arc::default())
}

/// Waits until no transition runs and nothing is to be written.
fn rest(rooms: &Rooms) {
    rooms.tasks.close();
    block_on(rooms.tasks.wait());
}

fn frame(text: &str) -> Frame {
    Frame {
        class: DeliveryClass::Message,
        text: text.into(),
    }
}

fn batch(text: &str) -> Batch {
    Batch::from(&frame(text))
}

#[test]
fn the_node_is_subscribed_as_long_as_a_socket_has_joined() {
    explore(|| {
        let broker = Arc::new(SlowBroker::default());
        let (rooms, upload) = (rooms(&broker), upload());
        let sockets = [1, 2].map(|rounds| {
            let (rooms, broker) = (Arc::clone(&rooms), Arc::clone(&broker));
            spawn(async move {
                for _ in 0..rounds {
                    let membership = rooms.join(upload, outbox().0).await.unwrap();
                    assert!(broker.is_subscribed());
                    yield_now().await;
                    assert!(broker.is_subscribed());
                    rooms.leave(membership);
                }
            })
        });
        let vanishing = spawn({
            let rooms = Arc::clone(&rooms);
            async move {
                rooms
                    .join(upload, outbox().0)
                    .await
                    .map(|it| rooms.leave(it))
            }
        });
        vanishing.abort();
        for socket in sockets {
            block_on(socket).unwrap();
        }
        // It may have joined and left before.
        let _ = block_on(vanishing);
        rest(&rooms);
        assert!(!broker.is_subscribed());
        assert_eq!(rooms.progress(upload.topic), None);
    });
}

#[test]
fn a_refused_subscription_leaves_nothing_behind() {
    explore(|| {
        let broker = Arc::new(SlowBroker::default());
        broker.refusals.store(2, Ordering::SeqCst);
        let (rooms, upload) = (rooms(&broker), upload());
        let sockets = [1, 2].map(|rounds| {
            let (rooms, broker) = (Arc::clone(&rooms), Arc::clone(&broker));
            spawn(async move {
                let mut joined = 0;
                for _ in 0..rounds {
                    // A refusal fails everyone who waits for it.
                    if let Ok(membership) = rooms.join(upload, outbox().0).await {
                        assert!(broker.is_subscribed());
                        yield_now().await;
                        assert!(broker.is_subscribed());
                        rooms.leave(membership);
                        joined += 1;
                    }
                }
                joined
            })
        });
        let joined = sockets.map(|socket| block_on(socket).unwrap());
        rest(&rooms);
        assert!(!broker.is_subscribed());
        assert_eq!(rooms.progress(upload.topic), None);
        let joined: i32 = joined.iter().sum();
        assert!(joined < 3, "the first one is refused");
    });
}

#[test]
fn a_socket_gets_all_frames_in_their_order_from_when_it_joins() {
    explore(|| {
        let broker = Arc::new(SlowBroker::default());
        let (rooms, upload) = (rooms(&broker), upload());
        let (first, first_peer) = outbox();
        let _first = block_on(rooms.join(upload, first)).unwrap();
        let delivering = thread::spawn({
            let rooms = Arc::clone(&rooms);
            move || {
                for text in ["1", "2", "3"] {
                    rooms.deliver(upload.topic, &frame(text), IncomingEvent::Touched);
                }
            }
        });
        let joining = spawn({
            let rooms = Arc::clone(&rooms);
            async move {
                let (second, peer) = outbox();
                rooms.join(upload, second).await.unwrap();
                peer
            }
        });
        delivering.join().unwrap();
        let second_peer = block_on(joining).unwrap();
        rooms.deliver(upload.topic, &frame("4"), IncomingEvent::Touched);
        rest(&rooms);
        let all = ["1", "2", "3", "4"].map(websocket::text).concat();
        assert_eq!(first_peer.read(usize::MAX), all);
        let arrived = second_peer.read(usize::MAX);
        assert!(arrived.ends_with(&websocket::text("4")));
        assert!(all.ends_with(&arrived));
    });
}

#[test]
fn no_answer_of_before_an_interruption_follows_its_notice() {
    explore(|| {
        let broker = Arc::new(SlowBroker::default());
        let (rooms, upload) = (rooms(&broker), upload());
        let (outbox, peer) = outbox();
        let _membership = block_on(rooms.join(upload, Arc::clone(&outbox))).unwrap();
        let made_in = rooms.epoch();
        let interrupting = thread::spawn({
            let rooms = Arc::clone(&rooms);
            move || {
                rooms.interrupt(|_| frame("interrupted"));
                rooms.repair();
            }
        });
        let is_answered = rooms.answer(upload.topic, made_in, &outbox, &batch("answer"));
        interrupting.join().unwrap();
        rest(&rooms);
        let (answer, notice) = (websocket::text("answer"), websocket::text("interrupted"));
        let expected = if is_answered {
            [answer, notice].concat()
        } else {
            notice.to_vec()
        };
        assert_eq!(peer.read(usize::MAX), expected);
    });
}
