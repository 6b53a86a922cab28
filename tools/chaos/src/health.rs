//! Each node answers `/livez` while no fault affects it, does not use a processor for nothing, and ends when it is
//! asked to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::task::spawn_blocking;
use tokio::time::{interval, sleep};

use crate::client::Api;
use crate::environment::Environment;
use crate::managed_node::ManagedNode;

const INTERVAL: Duration = Duration::from_secs(1);
/// Long, since the machine is busy.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Processor use is averaged over this time, since a busy moment is no fault.
const BUSY_TIME: Duration = Duration::from_secs(4);
/// A node with a few dozen sockets that uses more for so long is in a busy loop. (A debug build takes about 20.)
const MAX_PERCENT: f64 = 75.0;
const IDLE_TIME: Duration = Duration::from_secs(3);
const MAX_IDLE_PERCENT: f64 = 25.0;

/// Checks every node again and again, and reports those that do not answer or are too busy.
pub async fn watch(environment: Arc<Environment>, api: Api) {
    let answers = async {
        let mut ticks = interval(INTERVAL);
        loop {
            ticks.tick().await;
            answering(environment.all_nodes(), &api).await;
        }
    };
    let processors = async {
        loop {
            check_use(&environment, BUSY_TIME, MAX_PERCENT).await;
        }
    };
    tokio::join!(answers, processors);
}

/// Those of the nodes that answer; silence outside a fault is reported.
pub async fn answering<'a>(
    nodes: impl IntoIterator<Item = &'a ManagedNode>,
    api: &Api,
) -> Vec<Api> {
    let checks = nodes.into_iter().map(|node| check(node, api));
    join_all(checks).await.into_iter().flatten().collect()
}

async fn check(node: &ManagedNode, api: &Api) -> Option<Api> {
    let before = node.fault_free_epoch()?;
    let api = api.of_node(node.address());
    let answer = api.is_live(ANSWER_TIMEOUT).await;
    // One that accepts no connection has ended, which is another check.
    let is_silent = answer.as_ref().is_err_and(reqwest::Error::is_timeout);
    if is_silent && node.fault_free_epoch() == Some(before) {
        node.violation(&format!(
            "it did not answer /livez within {ANSWER_TIMEOUT:?}"
        ));
    }
    answer.is_ok_and(|is_live| is_live).then_some(api)
}

/// Reports nodes that use the processor although nobody is connected.
pub async fn check_idle(environment: &Arc<Environment>) {
    check_use(environment, IDLE_TIME, MAX_IDLE_PERCENT).await;
}

/// Reports nodes that use more of a processor for so long, unless there is a fault meanwhile, and those that have
/// ended.
async fn check_use(environment: &Arc<Environment>, time: Duration, max_percent: f64) {
    let before = samples(environment).await;
    sleep(time).await;
    let now = samples(environment).await;
    let pairs = before.into_iter().zip(now);
    for (node, (before, now)) in environment.all_nodes().zip(pairs) {
        let percent = now.zip(before).and_then(|(now, it)| now.percent_since(it));
        if let Some(percent) = percent.filter(|percent| *percent > max_percent) {
            node.violation(&format!(
                "it used {percent:.0} % of a processor for {time:?}, more than {max_percent}"
            ));
        }
        if node.has_crashed() {
            node.violation("it ended by itself");
        }
    }
}

/// The processor time that a node had used at some moment.
struct ProcessorTime {
    at: Instant,
    fault_free_epoch: u64,
    used: Duration,
}

/// Of each node; `None` during a fault of it.
async fn samples(environment: &Arc<Environment>) -> Vec<Option<ProcessorTime>> {
    let environment = Arc::clone(environment);
    let sample = |node: &ManagedNode| {
        Some(ProcessorTime {
            fault_free_epoch: node.fault_free_epoch()?,
            used: node.process().processor_time().ok()?,
            at: Instant::now(),
        })
    };
    // It waits while a node is being stopped.
    let sampled = spawn_blocking(move || environment.all_nodes().map(sample).collect());
    sampled.await.unwrap_or_default()
}

impl ProcessorTime {
    /// Processor use since an earlier moment, in percent; `None` when there was a fault in between.
    fn percent_since(self, earlier: Self) -> Option<f64> {
        let is_same_run = self.fault_free_epoch == earlier.fault_free_epoch;
        let used = self.used.checked_sub(earlier.used)?;
        is_same_run.then(|| 100.0 * used.div_duration_f64(self.at - earlier.at))
    }
}

/// Shuts every node down, all at once.
pub async fn stop_all(environment: &Arc<Environment>) {
    let stopping = (0..environment.all_nodes().count()).map(|number| {
        let environment = Arc::clone(environment);
        spawn_blocking(move || environment.all_nodes().nth(number).map(ManagedNode::stop))
    });
    join_all(stopping).await;
}
