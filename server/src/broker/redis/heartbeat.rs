//! Checks the subscription by heartbeats: the node publishes the time at intervals on a channel of its own, and has to
//! receive it on its subscribing connection. This detects a half-open connection, which nothing else would detect for
//! hours.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::broker::metrics::BrokerMetrics;

pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);
/// The subscription counts as broken when the newest received heartbeat is older than this.
pub const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5);

/// The heartbeats of one server.
pub struct Heartbeat {
    channel: String,
    /// The origin of the times in heartbeats.
    origin: Instant,
    /// When the newest received one was sent, in nanoseconds after the origin; 0 before the first.
    newest: AtomicU64,
    received: Notify,
    metrics: BrokerMetrics,
}

impl Heartbeat {
    pub fn new(channel: String, metrics: BrokerMetrics) -> Self {
        Self {
            channel,
            // One nanosecond earlier, so that no time is 0.
            origin: Instant::now() - Duration::from_nanos(1),
            newest: AtomicU64::new(0),
            received: Notify::new(),
            metrics,
        }
    }

    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// The payload of a heartbeat: the time in nanoseconds.
    pub fn payload(&self) -> String {
        self.now().to_string()
    }

    /// Handles a payload that was received on the channel. Anything but a heartbeat is ignored.
    pub fn on_received(&self, payload: &[u8]) {
        let sent = std::str::from_utf8(payload)
            .ok()
            .and_then(|it| it.parse().ok());
        let now = self.now();
        let Some(sent) = sent.filter(|sent| *sent <= now) else {
            tracing::debug!("a payload on the heartbeat channel is not a heartbeat");
            return;
        };
        self.metrics
            .heartbeat_received(Duration::from_nanos(now - sent));
        self.newest.fetch_max(sent, Ordering::AcqRel);
        self.received.notify_waiters();
    }

    pub fn is_recent(&self) -> bool {
        let newest = self.newest.load(Ordering::Acquire);
        newest > 0 && self.now() - newest <= nanos(HEARTBEAT_TIMEOUT)
    }

    /// Waits until a heartbeat is received that is sent after this call.
    pub fn next_received(&self) -> impl Future<Output = ()> {
        let now = self.now();
        async move {
            loop {
                let received = self.received.notified();
                if self.newest.load(Ordering::Acquire) >= now {
                    return;
                }
                received.await;
            }
        }
    }

    /// Waits until the newest received heartbeat is too old.
    pub async fn timed_out(&self) {
        while self.is_recent() {
            let newest = Duration::from_nanos(self.newest.load(Ordering::Acquire));
            // One more millisecond, the timer's resolution.
            let deadline = self.origin + newest + HEARTBEAT_TIMEOUT + Duration::from_millis(1);
            sleep_until(deadline).await;
        }
    }

    fn now(&self) -> u64 {
        nanos(self.origin.elapsed())
    }
}

/// The nanoseconds of 584 years fit into the result.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
