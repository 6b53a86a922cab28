//! Waits until all clients are connected, or have everything.

use std::collections::HashMap;
use std::time::Duration;

use app::model::{Seq, UploadId};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::client::{Api, Progress, Role};

const INTERVAL: Duration = Duration::from_millis(100);

type Clients = [(Role, watch::Receiver<Progress>)];

/// Waits until every client has listed all messages of its upload and has nothing unsent. Returns how long that took,
/// or after `timeout` who lacks what.
pub async fn caught_up(
    api: &Api,
    clients: &Clients,
    timeout: Duration,
) -> Result<Duration, String> {
    let lacks = async || {
        // Before the heads, which may be read while unsent messages are still being posted: nobody is ahead of them.
        let progress: Vec<_> = clients.iter().map(|(_, it)| *it.borrow()).collect();
        let heads = heads(api, clients).await;
        let all = clients.iter().zip(progress);
        let lacks = all.filter_map(|((role, _), it)| lack(role, it, heads.get(&role.upload)));
        lacks.collect()
    };
    nobody_lacks(lacks, timeout).await
}

/// Waits until every client is live. Returns how long that took, or after `timeout` who is not.
pub async fn live(clients: &Clients, timeout: Duration) -> Result<Duration, String> {
    let lacks = async || {
        let lost = clients.iter().filter(|(_, it)| !it.borrow().is_live);
        lost.map(|(role, _)| format!("{} is not connected", role.name))
            .collect()
    };
    nobody_lacks(lacks, timeout).await
}

async fn nobody_lacks(
    lacks: impl AsyncFn() -> Vec<String>,
    timeout: Duration,
) -> Result<Duration, String> {
    let begin = Instant::now();
    loop {
        let lacks = lacks().await;
        match lacks.first() {
            None => return Ok(begin.elapsed()),
            Some(first) if begin.elapsed() > timeout => {
                let count = lacks.len();
                return Err(format!(
                    "{count} clients are behind for {timeout:?}: {first}"
                ));
            }
            Some(_) => sleep(INTERVAL).await,
        }
    }
}

async fn heads(api: &Api, clients: &Clients) -> HashMap<UploadId, Seq> {
    let mut heads = HashMap::new();
    for (role, _) in clients {
        if !heads.contains_key(&role.upload) {
            let page = api.after(role.upload, Seq::ZERO).await;
            heads.extend(page.map(|page| (role.upload, page.head)));
        }
    }
    heads
}

fn lack(role: &Role, progress: Progress, head: Option<&Seq>) -> Option<String> {
    let Progress { cursor, unsent, .. } = progress;
    let name = &role.name;
    match head {
        None => Some("the store does not answer".to_owned()),
        Some(head) if cursor != *head => Some(format!("{name} has {cursor} of {head} entries")),
        Some(_) => (unsent > 0).then(|| format!("{name} has {unsent} unsent messages")),
    }
}
