//! Each node answers `/livez` while no fault affects it, is idle when nobody is connected, and ends when it is asked
//! to.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::task::spawn_blocking;
use tokio::time::{interval, sleep};

use crate::client::Api;
use crate::environment::Environment;
use crate::managed_node::ManagedNode;
use crate::processor::ProcessorTime;

const INTERVAL: Duration = Duration::from_secs(1);
/// Long, since the machine is busy.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIME: Duration = Duration::from_secs(3);
const MAX_IDLE_PERCENT: f64 = 25.0;

/// Checks every node again and again, and reports those that do not answer.
pub async fn watch(environment: Arc<Environment>, api: Api) {
    let mut ticks = interval(INTERVAL);
    loop {
        ticks.tick().await;
        answering(environment.all_nodes(), &api).await;
    }
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
pub async fn check_idle(environment: &Environment) {
    let before: Vec<_> = environment.all_nodes().map(ProcessorTime::now).collect();
    sleep(IDLE_TIME).await;
    for (node, before) in environment.all_nodes().zip(before) {
        let now = ProcessorTime::now(node).zip(before);
        let percent = now.and_then(|(now, before)| now.percent_since(before));
        if let Some(percent) = percent.filter(|percent| *percent > MAX_IDLE_PERCENT) {
            node.violation(&format!(
                "it uses {percent:.0} % of a processor though nobody is connected"
            ));
        }
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
