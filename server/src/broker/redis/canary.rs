//! A node proves its subscription by hearing itself: at intervals it publishes the time on a channel of its own, which
//! must come back on the connection that it is subscribed by. A connection that looks open but carries nothing any
//! more is noticed so, and nothing else would notice it for hours.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::broker::metrics::BrokerMetrics;

/// How often it is published.
pub const EVERY: Duration = Duration::from_secs(2);
/// The subscription counts as dead when the newest canary that came back is older than this.
pub const SILENT_AFTER: Duration = Duration::from_secs(5);

/// One server's canary.
pub struct Canary {
    channel: String,
    /// What the times in it count from.
    since: Instant,
    /// When the newest that came back was sent, in nanoseconds; 0 before the first.
    newest: AtomicU64,
    heard: Notify,
    metrics: BrokerMetrics,
}

impl Canary {
    pub fn new(channel: String, metrics: BrokerMetrics) -> Self {
        Self {
            channel,
            // Every time in it is above 0.
            since: Instant::now() - Duration::from_nanos(1),
            newest: AtomicU64::new(0),
            heard: Notify::new(),
            metrics,
        }
    }

    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// What is published: the time, in nanoseconds.
    pub fn song(&self) -> String {
        self.now().to_string()
    }

    /// It came back. Whatever else arrives on its channel is ignored.
    pub fn hear(&self, song: &[u8]) {
        let sent = std::str::from_utf8(song)
            .ok()
            .and_then(|it| it.parse().ok());
        let now = self.now();
        let Some(sent) = sent.filter(|sent| *sent <= now) else {
            tracing::debug!("something that is no canary arrived on its channel");
            return;
        };
        self.metrics.received_own(Duration::from_nanos(now - sent));
        self.newest.fetch_max(sent, Ordering::AcqRel);
        self.heard.notify_waiters();
    }

    /// Does it come back in time?
    pub fn is_fresh(&self) -> bool {
        let newest = self.newest.load(Ordering::Acquire);
        newest > 0 && self.now() - newest <= nanos(SILENT_AFTER)
    }

    /// Resolves when one comes back that is sent from this call on.
    pub fn heard_again(&self) -> impl Future<Output = ()> {
        let now = self.now();
        async move {
            loop {
                let heard = self.heard.notified();
                if self.newest.load(Ordering::Acquire) >= now {
                    return;
                }
                heard.await;
            }
        }
    }

    /// Waits until it does not come back in time.
    pub async fn silence(&self) {
        while self.is_fresh() {
            let newest = Duration::from_nanos(self.newest.load(Ordering::Acquire));
            // One more millisecond, the timer's own grain.
            let silent = self.since + newest + SILENT_AFTER + Duration::from_millis(1);
            sleep_until(silent).await;
        }
    }

    fn now(&self) -> u64 {
        nanos(self.since.elapsed())
    }
}

/// 584 years fit.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
