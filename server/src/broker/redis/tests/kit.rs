//! A node that writes down all it is told, and a look at what its server knows.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::{Client, Connection, cmd};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::app::metrics::Metrics;
use crate::broker::conformance::some_frame;
use crate::broker::redis::RedisBroker;
use crate::broker::redis::payload::channel_of;
use crate::broker::{Broker, Deliver, Frame, Topic};
use crate::http::metrics_endpoint::encode_metrics;

/// The longest that anything here may take, on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a node was told of its subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Interrupted,
    Repaired,
}

#[derive(Default)]
pub struct Ear {
    frames: Mutex<Vec<(Topic, String)>>,
    told: Mutex<Vec<Told>>,
    refused: Mutex<usize>,
    more: Notify,
}

impl Ear {
    fn tell(&self, told: Told) {
        self.told.lock().unwrap().push(told);
        self.more.notify_waiters();
    }
}

impl Deliver for Ear {
    fn deliver(&self, topic: Topic, frame: Frame) {
        let frame = (topic, frame.text.to_string());
        self.frames.lock().unwrap().push(frame);
        self.more.notify_waiters();
    }

    fn refused(&self, _why: &'static str) {
        *self.refused.lock().unwrap() += 1;
    }

    fn interrupted(&self) {
        self.tell(Told::Interrupted);
    }

    fn repaired(&self) {
        self.tell(Told::Repaired);
    }
}

pub struct TestNode {
    pub broker: RedisBroker,
    ear: Arc<Ear>,
    metrics: Metrics,
}

impl TestNode {
    pub async fn start(url: &str) -> Self {
        let metrics = Metrics::default();
        let broker = RedisBroker::open(url, metrics.broker.clone())
            .await
            .unwrap();
        let ear = Arc::new(Ear::default());
        broker.attach(Arc::<Ear>::clone(&ear));
        Self {
            broker,
            ear,
            metrics,
        }
    }

    /// Waits until it has heard itself this often, as its figures tell.
    pub async fn wait_for_canaries(&self, number: u64) {
        let heard = || {
            let figures = encode_metrics(&self.metrics.registry);
            let count = "tonesa_publish_to_receive_seconds_count ";
            let count = figures.lines().find_map(|line| line.strip_prefix(count));
            count.unwrap().parse::<u64>().unwrap()
        };
        eventually(async || heard() >= number).await;
    }

    pub async fn publish(&self, topic: Topic, text: &str) {
        let frame = some_frame(text);
        self.broker.publish(topic, frame).await.unwrap();
    }

    /// All that arrived on a topic, in order.
    pub fn heard(&self, topic: Topic) -> Vec<String> {
        let frames = self.ear.frames.lock().unwrap();
        let of_topic = frames.iter().filter(|(of, _)| *of == topic);
        of_topic.map(|(_, text)| text.clone()).collect()
    }

    /// The topics on which something arrived.
    pub fn heard_on(&self) -> HashSet<Topic> {
        let frames = self.ear.frames.lock().unwrap();
        frames.iter().map(|(topic, _)| *topic).collect()
    }

    /// How often it was told of something that is no frame.
    pub fn refused(&self) -> usize {
        *self.ear.refused.lock().unwrap()
    }

    pub fn told(&self) -> Vec<Told> {
        self.ear.told.lock().unwrap().clone()
    }

    /// Waits until it was told so much.
    pub async fn wait_for_told(&self, told: &[Told]) {
        self.wait_until(|| self.told() == told).await;
    }

    pub async fn wait_for(&self, topic: Topic, text: &str) {
        self.wait_until(|| self.heard(topic).iter().any(|heard| heard == text))
            .await;
    }

    /// Waits until it is so, looking whenever it hears something.
    pub async fn wait_until(&self, is_so: impl Fn() -> bool) {
        let waiting = async {
            loop {
                let more = self.ear.more.notified();
                if is_so() {
                    return;
                }
                more.await;
            }
        };
        let waited = timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "it is not so; told: {:?}", self.told());
    }
}

/// Waits until it is so, looking all the time: for what nobody tells.
pub async fn eventually(mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it becomes so");
}

/// A connection of somebody else's.
pub fn look(url: &str) -> Connection {
    Client::open(url).unwrap().get_connection().unwrap()
}

/// How many connections the server has subscribed to a topic's channel.
pub fn subscribers(server: &mut Connection, topic: Topic) -> i64 {
    let mut ask = cmd("PUBSUB");
    ask.arg("NUMSUB").arg(channel_of(topic));
    let (_, number): (String, i64) = ask.query(server).unwrap();
    number
}

/// The topics' channels that anybody is subscribed to.
pub fn channels(server: &mut Connection) -> HashSet<String> {
    let mut ask = cmd("PUBSUB");
    let mut channels: HashSet<String> = ask.arg("CHANNELS").query(server).unwrap();
    channels.retain(|channel| !channel.contains("canary"));
    channels
}

/// Closes connections: `normal` those that publish, `pubsub` those that are subscribed.
pub fn close(server: &mut Connection, kind: &str) -> i64 {
    let mut kill = cmd("CLIENT");
    kill.arg("KILL")
        .arg("TYPE")
        .arg(kind)
        .arg("SKIPME")
        .arg("yes");
    kill.query(server).unwrap()
}
