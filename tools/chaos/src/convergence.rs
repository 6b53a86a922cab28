//! Waits until all clients have everything.

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
    let begin = Instant::now();
    loop {
        // Before the heads, which may be read while unsent messages are still being posted: nobody is ahead of them.
        let progress: Vec<_> = clients.iter().map(|(_, it)| *it.borrow()).collect();
        let heads = heads(api, clients).await;
        let lacks = clients
            .iter()
            .zip(progress)
            .filter_map(|((role, _), progress)| {
                lack(role, progress, heads.get(&role.upload).copied())
            });
        let lacks: Vec<_> = lacks.collect();
        match lacks.first() {
            None => return Ok(begin.elapsed()),
            Some(first) if begin.elapsed() > timeout => {
                return Err(format!("{} clients are behind: {first}", lacks.len()));
            }
            Some(_) => sleep(INTERVAL).await,
        }
    }
}

/// Waits until every client is live. Returns how long that took, or after `timeout` how many are not.
pub async fn live(clients: &Clients, timeout: Duration) -> Result<Duration, usize> {
    let begin = Instant::now();
    loop {
        let lost = clients
            .iter()
            .filter(|(_, progress)| !progress.borrow().is_live);
        match lost.count() {
            0 => return Ok(begin.elapsed()),
            lost if begin.elapsed() > timeout => return Err(lost),
            _ => sleep(INTERVAL).await,
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

fn lack(role: &Role, progress: Progress, head: Option<Seq>) -> Option<String> {
    let Progress { cursor, unsent, .. } = progress;
    let name = &role.name;
    match head {
        None => Some("the store does not answer".to_owned()),
        Some(head) if cursor != head => Some(format!("{name} has {cursor} of {head} messages")),
        Some(_) => (unsent > 0).then(|| format!("{name} has {unsent} unsent messages")),
    }
}
