//! What arrives from Redis on the channel of an upload. A real hub gets it, with a socket that watches the upload and a
//! store that has three messages of it. Its clock is paused, so that time passes at once.

mod bus;

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use app::event::ServerEvent;
use app::model::{LogPage, NewMessage, Seq, Timestamp, Upload, UploadId};
use bytes::Bytes;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use redis::ToRedisArgs;
use server::admission::misses::{ClientMisses, MissLimiter};
use server::broker::redis::payload::{Payload, channel_of, parse_frame, topic_of};
use server::broker::{Broker, DeliveryClass};
use server::config::HubIntervals;
use server::hub::metrics::HubMetrics;
use server::hub::{Hub, HubLimits};
use server::store::memory::MemoryStore;
use server::store::{Draft, Select, Store};
use server::websocket::{Connection, Peer};
use server::{clock, ids, random};
use tokio::runtime::Builder;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::bus::{Bus, node_and_count};

/// Between two payloads. It is in no text.
pub const SEPARATOR: u8 = 0xff;
/// More are dropped. A socket's queue takes all of them.
const MAX_PAYLOADS: usize = 32;

/// The upload of the tests, which the seeds are about.
const UPLOAD: &str = include_str!("../../../../app/tests/golden/upload.json");
const MESSAGE: &str = include_str!("../../../../app/tests/golden/new_message.json");
/// The number of messages that are stored.
const STORED: usize = 3;
/// An entry that is further ahead of what is known has to be confirmed by the store first.
const MAX_AHEAD: u64 = 1_024;

/// What the kernel holds of a connection: more than all frames.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;
/// How long the socket needs to be watching, and known to the other nodes.
const START: Duration = Duration::from_secs(1);
/// For how long nothing is delivered where a payload is empty: a number is confirmed meanwhile.
const PAUSE: Duration = Duration::from_millis(300);
/// When the socket has been told of all viewers.
const TOLD: Duration = Duration::from_secs(3);
/// The node asks the store for every topic as often as it announces heads. Nothing is pinged meanwhile.
const INTERVALS: HubIntervals = HubIntervals {
    announce_every: Duration::from_secs(2),
    ping_every: Duration::from_hours(1),
    stuck_after: Duration::from_hours(1),
};
/// When it has asked twice.
const RECONCILED: Duration = Duration::from_secs(5);

/// Payloads, one after the other. An empty one is a pause.
pub fn run(bytes: &[u8]) {
    let payloads = bytes.split(|byte| *byte == SEPARATOR).take(MAX_PAYLOADS);
    let payloads: Vec<_> = payloads.collect();
    for payload in &payloads {
        check_written(payload);
    }
    if payloads.iter().all(|it| parse_frame(it.to_vec()).is_none()) {
        return;
    }
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = runtime.expect("a runtime without input and output needs nothing");
    runtime.block_on(deliver_all(&payloads));
}

/// A frame is written as the same bytes, and nothing is refused that may be one.
fn check_written(payload: &[u8]) {
    if let Some(frame) = parse_frame(payload.to_vec()) {
        assert_eq!(Payload(&frame).to_redis_args(), [payload]);
    } else {
        let text = payload.split_first();
        let text = text.filter(|(class, _)| b"mtp".contains(class));
        assert!(text.is_none_or(|(_, text)| str::from_utf8(text).is_err()));
    }
    if let Some(topic) = topic_of(payload) {
        assert_eq!(topic_of(channel_of(topic).as_bytes()), Some(topic));
    }
}

async fn deliver_all(payloads: &[&[u8]]) {
    let mut node = Node::start().await;
    node.check_answer(0).await;
    for payload in payloads {
        if payload.is_empty() {
            sleep(PAUSE).await;
        } else {
            node.deliver(payload);
        }
    }
    if node.taken.is_empty() && node.viewers.is_empty() {
        sleep(PAUSE).await;
        let events = node.events();
        assert!(!events.iter().any(|(event, _)| is_passed_on(event)));
        return;
    }
    sleep(TOLD).await;
    let events = node.events();
    node.check(&events);
    if node.taken.is_empty() {
        return;
    }
    // What was forged is forgotten.
    sleep(RECONCILED).await;
    drop(node.events());
    // The answer to the first may be kept from before.
    for after in 0..=STORED {
        node.check_answer(after).await;
    }
}

/// A node with a socket, and what it has been told.
struct Node {
    broker: Arc<Bus>,
    topic: UploadId,
    peer: Peer,
    registry: Registry,
    /// The number of the last message, and all of them.
    stored: LogPage,
    /// The events that were not refused, as they came, and the viewers of other nodes.
    taken: Vec<(ServerEvent, String)>,
    viewers: BTreeMap<u64, u32>,
}

impl Node {
    async fn start() -> Self {
        random::seed_thread(0);
        let wall = Timestamp::from_unix_millis(1_790_000_000_000);
        clock::simulate(wall.expect("it is in 2026"));
        let upload: Upload = serde_json::from_str(UPLOAD).expect("the test is an upload");
        let topic = upload.id;
        let store = Arc::new(MemoryStore::default());
        let inserted = store.insert_upload(upload, None).await;
        inserted.expect("the store is empty");
        let appended = store.append(topic, drafts()).await;
        appended.expect("the store has the upload");
        let stored = store
            .entries(topic, Select::After(Seq::ZERO), 2 * STORED)
            .await;
        let broker = Arc::new(Bus::default());
        let mut registry = Registry::default();
        let hub = Hub::start(
            Arc::clone(&broker) as Arc<dyn Broker>,
            store,
            HubLimits {
                touches_per_second: 20,
                intervals: INTERVALS,
            },
            HubMetrics::registered(&mut registry),
            TaskTracker::new(),
            CancellationToken::new(),
        );
        let (connection, peer) = Connection::in_memory(SOCKET_BUFFER, Arc::default());
        let misses = Arc::new(MissLimiter::new(0));
        let misses = ClientMisses::new(misses, IpAddr::V4(Ipv4Addr::LOCALHOST));
        tokio::spawn(async move {
            let socket = hub.handle_socket(connection, Bytes::new(), misses, pending());
            socket.await;
        });
        Self {
            broker,
            topic,
            peer,
            registry,
            stored: stored.expect("the store has the upload"),
            taken: Vec::new(),
            viewers: BTreeMap::new(),
        }
    }

    /// Watches the upload after the first entries. The answer is what is stored.
    async fn check_answer(&self, after: usize) {
        let command = format!(
            r#"{{"type":"watch","data":{{"uploadID":"{}","after":{after}}}}}"#,
            self.topic
        );
        let length = u8::try_from(command.len()).expect("it is short");
        let header = [0x81, 0x80 | length, 0, 0, 0, 0];
        self.peer.write(&[&header, command.as_bytes()].concat());
        sleep(START).await;
        let answer = self
            .events()
            .into_iter()
            .find_map(|(event, _)| match event {
                ServerEvent::Watched { head, entries, .. } => Some(LogPage { head, entries }),
                _ => None,
            });
        let expected = LogPage {
            entries: self.stored.entries[after..].to_vec(),
            head: self.stored.head,
        };
        assert_eq!(answer, Some(expected));
    }

    /// Delivers a payload as the subscriber does, and sees whether it is refused.
    fn deliver(&mut self, payload: &[u8]) {
        let before = self.refused();
        let receiver = self.broker.receiver.get().expect("the hub is attached");
        let Some(frame) = parse_frame(payload.to_vec()) else {
            receiver.refused("not a frame");
            assert_eq!(self.refused(), before + 1);
            return;
        };
        receiver.deliver(self.topic, frame.clone());
        let refused = self.refused() - before;
        assert!(refused <= 1);
        if refused == 1 {
            return;
        }
        if frame.class == DeliveryClass::Presence {
            let (node, count) = node_and_count(&frame).expect("what is taken says who it is from");
            if self.broker.own_number.get() != Some(&node) {
                self.viewers.insert(node, count);
            }
            return;
        }
        let event: ServerEvent =
            serde_json::from_str(&frame.text).expect("what is taken is an event");
        let fields = serde_json::to_value(&event).expect("an event can be written");
        assert_eq!(fields["data"]["uploadID"], self.topic.to_string());
        let is_touch = matches!(event, ServerEvent::Touched { .. });
        assert_eq!(is_touch, frame.class == DeliveryClass::Touch);
        self.taken.push((event, frame.text.to_string()));
    }

    /// What the socket got is what was taken, as it came and in its order, and what the node itself says. Entries that are
    /// far ahead may be missing.
    fn check(&self, events: &[(ServerEvent, String)]) {
        let mut taken = self.taken.iter();
        let mut last = self.stored.head;
        let mut viewers = None;
        for (event, text) in events {
            match event {
                ServerEvent::HeadAdvanced { upload_id, head } => {
                    assert_eq!(*upload_id, self.topic);
                    assert!(*head <= last, "{head} is after {last}");
                }
                ServerEvent::Presence { count, people, .. } => {
                    assert!(people.len() <= 24);
                    viewers = Some(*count);
                }
                ServerEvent::Refused(_) | ServerEvent::Touched { .. } => {}
                ServerEvent::MessagePosted { message, .. } => last = last.max(message.seq),
                ServerEvent::MessageDeleted { entry, .. } => last = last.max(entry.seq),
                ServerEvent::Watched { .. } | ServerEvent::UploadDeleted { .. } => {
                    panic!("nobody asked for {text}")
                }
            }
            if is_passed_on(event) {
                assert!(taken.any(|(_, taken)| taken == text), "nobody sent {text}");
            }
        }
        // Of two entries with one number only the first is passed on, unless the store has been asked since.
        let always = |events: &[(ServerEvent, String)]| {
            let all = events.iter().map(|(event, _)| event);
            let all = all.filter(|it| is_always_passed_on(it));
            let (entries, others): (Vec<_>, Vec<_>) = all.partition(|it| number(it).is_some());
            let numbers: BTreeSet<_> = entries.into_iter().filter_map(number).collect();
            (others.len(), numbers)
        };
        assert_eq!(always(events), always(&self.taken));
        let others: u32 = self.viewers.values().sum();
        assert!(
            viewers.is_none_or(|count| count == 1 + others),
            "{viewers:?} of {others}"
        );
        assert!(
            viewers.is_some() || others == 0,
            "nobody was told of {others}"
        );
    }

    /// The number of frames that were refused.
    fn refused(&self) -> u64 {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("metrics can be written");
        let line = text
            .lines()
            .find_map(|it| it.strip_prefix("broker_frames_refused_total "));
        let count = line.and_then(|count| count.parse().ok());
        count.expect("the metric is there")
    }

    /// The events that the socket has got since.
    fn events(&self) -> Vec<(ServerEvent, String)> {
        let bytes = self.peer.read(usize::MAX);
        let mut rest = &bytes[..];
        let mut events = Vec::new();
        while let Some((payload, after)) = next_frame(rest) {
            assert_eq!(rest[0], 0x81, "a node sends whole texts");
            let text = str::from_utf8(payload).expect("a text is UTF-8");
            let event = serde_json::from_str(text).expect("a text is an event");
            events.push((event, text.to_owned()));
            rest = after;
        }
        assert!(rest.is_empty() && !self.peer.is_closed());
        events
    }
}

/// Whether nodes say this only where another one has said it.
fn is_passed_on(event: &ServerEvent) -> bool {
    matches!(
        event,
        ServerEvent::MessagePosted { .. }
            | ServerEvent::MessageDeleted { .. }
            | ServerEvent::Touched { .. }
    )
}

/// Whether a node passes this on at once, whatever it knows, or another entry with this number.
fn is_always_passed_on(event: &ServerEvent) -> bool {
    let stored = STORED as u64;
    let is_near = |seq: Seq| (stored + 1..=stored + MAX_AHEAD).contains(&seq.get());
    matches!(event, ServerEvent::Touched { .. }) || number(event).is_some_and(is_near)
}

/// The number of an entry.
fn number(event: &ServerEvent) -> Option<Seq> {
    match event {
        ServerEvent::MessagePosted { message, .. } => Some(message.seq),
        ServerEvent::MessageDeleted { entry, .. } => Some(entry.seq),
        _ => None,
    }
}

/// The messages that are stored.
fn drafts() -> Vec<Draft> {
    let draft = |_| {
        let mut message: NewMessage = serde_json::from_str(MESSAGE).expect("the test is a message");
        message.client_message_id = ids::client_message_id();
        Draft {
            id: ids::message_id(),
            message,
            created_at: clock::now(),
            owner: None,
        }
    };
    (0..STORED).map(draft).collect()
}

/// The payload of the first frame, and what is behind it. A node's frames are not masked.
fn next_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
        }
        length => (usize::from(*length), rest),
    };
    rest.split_at_checked(length)
}
