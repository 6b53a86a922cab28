//! A broker whose receiver records everything, and queries to its server.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::model::UploadId;
use redis::{Client, Connection, cmd};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::app::metrics::Metrics;
use crate::broker::conformance::some_frame;
use crate::broker::redis::RedisBroker;
use crate::broker::redis::payload::channel_of;
use crate::broker::{Broker, Deliver, Frame};
use crate::http::metrics_endpoint::encode_metrics;

/// The time limit of every wait, generous for a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// What was reported about the subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    Interrupted,
    Repaired,
}

#[derive(Default)]
pub struct RecordingReceiver {
    frames: Mutex<Vec<(UploadId, String)>>,
    notices: Mutex<Vec<Notice>>,
    refused: Mutex<usize>,
    more: Notify,
}

impl RecordingReceiver {
    fn record(&self, notices: Notice) {
        self.notices.lock().unwrap().push(notices);
        self.more.notify_waiters();
    }
}

impl Deliver for RecordingReceiver {
    fn deliver(&self, topic: UploadId, frame: Frame) {
        let frame = (topic, frame.text.to_string());
        self.frames.lock().unwrap().push(frame);
        self.more.notify_waiters();
    }

    fn refused(&self, _reason: &'static str) {
        *self.refused.lock().unwrap() += 1;
    }

    fn interrupted(&self) {
        self.record(Notice::Interrupted);
    }

    fn repaired(&self) {
        self.record(Notice::Repaired);
    }
}

pub struct TestNode {
    pub broker: RedisBroker,
    receiver: Arc<RecordingReceiver>,
    metrics: Metrics,
}

impl TestNode {
    pub async fn start(url: &str) -> Self {
        let metrics = Metrics::default();
        let broker = RedisBroker::open(url, metrics.broker.clone(), CancellationToken::new())
            .await
            .unwrap();
        let receiver = Arc::new(RecordingReceiver::default());
        broker.attach(Arc::<RecordingReceiver>::clone(&receiver));
        Self {
            broker,
            receiver,
            metrics,
        }
    }

    /// Waits until the metrics show this number of heartbeats.
    pub async fn wait_for_heartbeats(&self, minimum: u64) {
        let received = || {
            let metrics = encode_metrics(&self.metrics.registry);
            let count = "tonesa_publish_to_receive_seconds_count ";
            let count = metrics.lines().find_map(|line| line.strip_prefix(count));
            count.unwrap().parse::<u64>().unwrap()
        };
        eventually(async || received() >= minimum).await;
    }

    pub async fn publish(&self, topic: UploadId, text: &str) {
        let frame = some_frame(text);
        self.broker.publish(topic, frame).await.unwrap();
    }

    /// The texts that were received on a topic, in order.
    pub fn received(&self, topic: UploadId) -> Vec<String> {
        let frames = self.receiver.frames.lock().unwrap();
        let of_topic = frames.iter().filter(|(of, _)| *of == topic);
        of_topic.map(|(_, text)| text.clone()).collect()
    }

    /// The topics on which frames were received.
    pub fn topics_received(&self) -> HashSet<UploadId> {
        let frames = self.receiver.frames.lock().unwrap();
        frames.iter().map(|(topic, _)| *topic).collect()
    }

    /// The number of refused payloads.
    pub fn refused(&self) -> usize {
        *self.receiver.refused.lock().unwrap()
    }

    pub fn notices(&self) -> Vec<Notice> {
        self.receiver.notices.lock().unwrap().clone()
    }

    /// Waits until these are the notices.
    pub async fn wait_for_notices(&self, notices: &[Notice]) {
        self.wait_until(|| self.notices() == notices).await;
    }

    pub async fn wait_for(&self, topic: UploadId, text: &str) {
        self.wait_until(|| self.received(topic).iter().any(|received| received == text))
            .await;
    }

    /// Waits until the condition holds, checking it whenever something is received.
    pub async fn wait_until(&self, condition: impl Fn() -> bool) {
        let waiting = async {
            loop {
                let more = self.receiver.more.notified();
                if condition() {
                    return;
                }
                more.await;
            }
        };
        let waited = timeout(TIMEOUT, waiting).await;
        assert!(
            waited.is_ok(),
            "the condition does not hold; notices: {:?}",
            self.notices()
        );
    }
}

/// Waits until the condition holds, checking it at intervals.
pub async fn eventually(mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(TIMEOUT, waiting)
        .await
        .expect("the condition has to hold");
}

/// Connects as another client.
pub fn connect(url: &str) -> Connection {
    Client::open(url).unwrap().get_connection().unwrap()
}

/// The number of connections that are subscribed to a topic's channel.
pub fn subscribers(server: &mut Connection, topic: UploadId) -> i64 {
    let mut ask = cmd("PUBSUB");
    ask.arg("NUMSUB").arg(channel_of(topic));
    let (_, number): (String, i64) = ask.query(server).unwrap();
    number
}

/// The topics' channels with subscribers.
pub fn channels(server: &mut Connection) -> HashSet<String> {
    let mut ask = cmd("PUBSUB");
    let mut channels: HashSet<String> = ask.arg("CHANNELS").query(server).unwrap();
    channels.retain(|channel| !channel.contains("heartbeat"));
    channels
}

/// Closes connections: `normal` for those that publish, `pubsub` for those that are subscribed.
pub fn close(server: &mut Connection, kind: &str) -> i64 {
    let mut kill = cmd("CLIENT");
    kill.arg("KILL")
        .arg("TYPE")
        .arg(kind)
        .arg("SKIPME")
        .arg("yes");
    kill.query(server).unwrap()
}
