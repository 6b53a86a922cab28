//! A node's process: the real hub, posting and deleting, on a runtime of its own whose clock the world moves.
//!
//! A process is killed by dropping its runtime and frozen by not running it. So both are what they are to a real one.

use std::future::pending;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use app::model::{Timestamp, UploadId};
use bytes::Bytes;
use server::admission::misses::{ClientMisses, MissLimiter};
use server::app::remover::Remover;
use server::broker::redis::RedisBroker;
use server::broker::{Broker, Deliver, Frame};
use server::config::HubIntervals;
use server::hub::deleting::Deleter;
use server::hub::metrics::HubMetrics;
use server::hub::posting::Poster;
use server::hub::{Hub, HubLimits};
use server::store::Store;
use server::store::coalescing::CoalescingStore;
use server::store::memory::MemoryStore;
use server::websocket::{Connection, Peer};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, advance, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Millis;
use crate::api::{Answer, Api, Call, Pending};
use crate::blobs::{Images, NodeBlobs};
use crate::broker::{Bus, NodeBroker};
use crate::clock::NodeClock;
use crate::heads::HeadRecorder;
use crate::links::Links;
use crate::redis::{Dialer, RedisNodeBroker, RedisServer};
use crate::store::NodeStore;
use crate::trace::Trace;

/// Processes are numbered as they start.
pub type ProcessId = u64;

/// What the clock on the wall shows when a run begins: 2026.
const WALL: i64 = 1_790_000_000_000;
/// What the buffers of both kernels hold of a connection.
pub const SOCKET_BUFFER: usize = 16 * 1024;

// The bounds of queues, written anew here, so that one which is raised by mistake is noticed.

/// What may be queued for a socket: messages with a partly written one and a close frame, touches, and bytes.
const MAX_MESSAGES: usize = 256 + 2;
const MAX_TOUCHES: usize = 64;
const MAX_BYTES: usize = 1024 * 1024 + 64 * 1024;
/// What may wait for the next batch of a room: frames, and their bytes.
const MAX_PENDING: usize = 4_096;
const MAX_PENDING_BYTES: usize = 4 * 1024 * 1024;
/// The entries that are kept of a topic.
const MAX_RECENT: usize = 64;
/// The topics about which the store may have to be asked: those of this round and of the last one.
const MAX_UNCONFIRMED: usize = 4;
/// The posts of one upload that may wait, and the deletions that may be under way.
const MAX_WAITING_POSTS: usize = 1_024;
const MAX_DELETIONS: usize = 64;

/// What all processes use.
#[derive(Clone)]
pub struct Shared {
    pub data: Arc<MemoryStore>,
    pub images: Images,
    pub bus: Arc<Mutex<Bus>>,
    /// What nodes connect to instead of the bus.
    pub redis: Option<Arc<Mutex<RedisServer>>>,
    pub answers: Arc<Mutex<Vec<Answer>>>,
    pub trace: Trace,
}

/// A running process.
pub struct Process {
    // Dropped first, and with it all tasks.
    runtime: Runtime,
    pub id: ProcessId,
    clock: NodeClock,
    /// By how much the node's clock on the wall is wrong, in milliseconds.
    pub wall_error: i64,
    pub hub: Hub,
    /// None with Redis.
    simulated_broker: Option<Arc<NodeBroker>>,
    api: Arc<Api>,
    misses: ClientMisses,
    shared: Shared,
    tasks: TaskTracker,
    stopping: CancellationToken,
    /// Notified when the world has to look: something was written, published or answered.
    activity: Arc<Notify>,
    /// Until when it has run, and whether it has come to rest then.
    reached: Millis,
    is_at_rest: bool,
}

impl Process {
    /// Starts the process of a node.
    pub fn start(id: ProcessId, node: usize, now: Millis, links: &Links, shared: &Shared) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without input and output needs nothing");
        let inside = runtime.enter();
        let clock = NodeClock {
            node,
            started_at: now,
            epoch: Instant::now(),
            trace: shared.trace.clone(),
        };
        let activity = Arc::new(Notify::new());
        let store = CoalescingStore::new(Arc::new(NodeStore {
            data: Arc::clone(&shared.data),
            links: links.clone(),
            clock: clock.clone(),
        }));
        let store: Arc<dyn Store> = Arc::new(store);
        set_wall(&clock, 0);
        let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
        let heads = HeadRecorder {
            process: id,
            bus: Arc::clone(&shared.bus),
            data: Arc::clone(&shared.data),
            clock: clock.clone(),
        };
        let (broker, simulated_broker) = if let Some(server) = &shared.redis {
            let dialer = Dialer {
                process: id,
                server: Arc::clone(server),
                links: links.clone(),
                activity: Arc::clone(&activity),
            };
            let redis = RedisBroker::in_memory(Arc::new(dialer), stopping.clone());
            let broker: Arc<dyn Broker> = Arc::new(RedisNodeBroker { redis, heads });
            (broker, None)
        } else {
            let broker = Arc::new(NodeBroker {
                heads,
                links: links.clone(),
                receiver: OnceLock::new(),
                activity: Arc::clone(&activity),
            });
            (Arc::clone(&broker) as Arc<dyn Broker>, Some(broker))
        };
        let hub = Hub::start(
            broker,
            Arc::clone(&store),
            HubLimits {
                touches_per_second: 20,
                intervals: HubIntervals::default(),
            },
            HubMetrics::default(),
            tasks.clone(),
            stopping.clone(),
        );
        let removals = Arc::<Notify>::default();
        let remover = Remover {
            store: Arc::clone(&store),
            hub: hub.clone(),
            blobs: Arc::new(NodeBlobs {
                images: Arc::clone(&shared.images),
                links: links.clone(),
                clock: clock.clone(),
            }),
            removals: Arc::clone(&removals),
        };
        tasks.spawn(remover.run(stopping.clone()));
        let api = Api {
            poster: Poster::new(Arc::clone(&store), hub.clone()),
            deleter: Deleter::new(Arc::clone(&store), hub.clone(), removals),
            store,
        };
        drop(inside);
        let misses = Arc::new(MissLimiter::new(0));
        Self {
            runtime,
            id,
            clock,
            wall_error: 0,
            hub,
            simulated_broker,
            api: Arc::new(api),
            misses: ClientMisses::new(misses, IpAddr::V4(Ipv4Addr::LOCALHOST)),
            shared: shared.clone(),
            tasks,
            stopping,
            activity,
            reached: now,
            is_at_rest: false,
        }
    }

    /// Whether it has nothing to do but wait for its timers, and that for less than `delay` until `limit`.
    pub fn rests_until(&self, limit: Millis, delay: Millis) -> bool {
        let has_input = self.runtime.metrics().global_queue_depth() > 0;
        self.is_at_rest && !has_input && limit < self.reached + delay
    }

    /// Runs the process until it has done something that the world has to see, or until `limit`. Returns the time.
    pub fn run_until(&mut self, limit: Millis) -> Millis {
        let Self { clock, reached, .. } = self;
        let is_ahead = *reached >= limit;
        let limit = clock.instant(limit);
        (self.reached, self.is_at_rest) = self.runtime.block_on(async {
            set_wall(clock, self.wall_error);
            let idle = async {
                if is_ahead {
                    // Its tasks would not run at all.
                    yield_now().await;
                }
                sleep_until(limit).await;
            };
            let is_at_rest = tokio::select! {
                biased;
                () = self.activity.notified() => false,
                () = idle => true,
            };
            (clock.now(), is_at_rest)
        });
        self.reached
    }

    /// Moves the clock of a process that was frozen: all timers that have expired meanwhile do so together.
    pub fn skip_to(&self, now: Millis) {
        self.set_wall();
        self.runtime.block_on(async {
            let passed = now.saturating_sub(self.clock.now());
            advance(Duration::from_millis(passed)).await;
        });
    }

    /// How often it has had nothing to do until a timer expired or the world woke it up.
    pub fn wakeups(&self) -> u64 {
        self.runtime.metrics().worker_park_count(0)
    }

    /// Calls what the broker's connection calls: there is no task of the node's around it.
    fn receive(&self, call: impl FnOnce(&dyn Deliver)) {
        self.set_wall();
        let _inside = self.runtime.enter();
        let broker = self.simulated_broker.as_ref();
        if let Some(receiver) = broker.and_then(|it| it.receiver.get()) {
            call(receiver.as_ref());
        }
    }

    /// Whether the world has to tell it that its subscription is lost or works again. With Redis it notices that itself.
    pub fn is_told_of_interruptions(&self) -> bool {
        self.simulated_broker.is_some()
    }

    /// Delivers a frame.
    pub fn deliver(&self, topic: UploadId, frame: Frame) {
        self.receive(|receiver| receiver.deliver(topic, frame));
    }

    /// Tells the node that its subscription is lost.
    pub fn interrupt(&self) {
        self.receive(Deliver::interrupted);
    }

    /// Tells the node that its subscription works again.
    pub fn repair(&self) {
        self.receive(Deliver::repaired);
    }

    /// Accepts a socket, and returns the client's end.
    pub fn accept(&self) -> Peer {
        let (connection, peer) = Connection::in_memory(SOCKET_BUFFER, Arc::clone(&self.activity));
        let (hub, misses) = (self.hub.clone(), self.misses.clone());
        let serve = async move {
            let never_blocked = pending();
            hub.handle_socket(connection, Bytes::new(), misses, never_blocked)
                .await;
        };
        self.tasks.spawn_on(serve, self.runtime.handle());
        peer
    }

    /// Handles a call of a client, whose answer will be among the answers.
    pub fn call(&self, client: usize, number: u64, call: Call) {
        let answers = Arc::clone(&self.shared.answers);
        let pending = Pending::new(client, number, &call, answers, Arc::clone(&self.activity));
        let api = Arc::clone(&self.api);
        let handle = async move { pending.answer(api.handle(call).await) };
        self.tasks.spawn_on(handle, self.runtime.handle());
    }

    /// Begins to stop, as after SIGTERM.
    pub fn stop(&self) {
        self.stopping.cancel();
        self.tasks.close();
    }

    /// Whether posts wait, deletions are under way, or the store has to be asked about topics.
    pub fn is_busy(&self) -> bool {
        let Api {
            poster, deleter, ..
        } = &*self.api;
        let has_posts = poster.longest_queue().is_some();
        has_posts || deleter.under_way() > 0 || self.hub.queue_lengths().unconfirmed > 0
    }

    /// The queues with more than they may have.
    pub fn queues_over_limit(&self) -> Vec<String> {
        let queued = self.hub.queued().into_iter();
        let sockets = queued.filter(|it| {
            it.messages > MAX_MESSAGES || it.touches > MAX_TOUCHES || it.bytes > MAX_BYTES
        });
        let mut over_limit: Vec<_> = sockets.map(|it| format!("{it:?} for a socket")).collect();
        let lengths = self.hub.queue_lengths();
        if lengths.pending > MAX_PENDING
            || lengths.pending_bytes > MAX_PENDING_BYTES
            || lengths.recent > MAX_RECENT
            || lengths.unconfirmed > MAX_UNCONFIRMED
        {
            over_limit.push(format!("{lengths:?}"));
        }
        let posts = self.api.poster.longest_queue();
        let deletions = self.api.deleter.under_way();
        if posts.is_some_and(|it| it > MAX_WAITING_POSTS) || deletions > MAX_DELETIONS {
            over_limit.push(format!("{posts:?} posts and {deletions} deletions"));
        }
        over_limit
    }

    /// Whether it takes connections.
    pub fn listens(&self) -> bool {
        !self.stopping.is_cancelled()
    }

    /// Whether all its tasks have ended.
    pub fn has_stopped(&self) -> bool {
        self.tasks.is_empty()
    }

    /// All that runs in the node has to see its own clock on the wall.
    fn set_wall(&self) {
        let _inside = self.runtime.enter();
        set_wall(&self.clock, self.wall_error);
    }
}

fn set_wall(clock: &NodeClock, error: i64) {
    let right = wall(clock.now()).unix_millis();
    let shown = Timestamp::from_unix_millis(right.saturating_add(error));
    server::clock::simulate(shown.expect("clocks are wrong by minutes"));
}

/// What a clock on the wall shows that is right.
pub fn wall(at: Millis) -> Timestamp {
    let since = i64::try_from(at).unwrap_or(i64::MAX);
    let shown = Timestamp::from_unix_millis(WALL.saturating_add(since));
    shown.expect("runs do not last for centuries")
}
