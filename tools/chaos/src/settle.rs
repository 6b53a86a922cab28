//! Waiting until everybody has everything.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use app::model::{MessagePage, Seq, UploadId};
use reqwest::Client;
use tokio::time::{Instant, sleep};

use crate::client::{Gauge, Role, after, read};

/// How often is looked.
const EVERY: Duration = Duration::from_millis(100);

/// How many clients have not caught up, and which one for example.
#[derive(Debug)]
pub struct Behind {
    /// How many.
    pub count: usize,
    /// What one of them lacks.
    pub example: String,
}

/// Waits until every client has listed all that its upload's conversation holds and has nothing unsent; how long that
/// took.
///
/// # Errors
/// Who is still behind at the end of `patience`.
pub async fn caught_up(
    http: &Client,
    node: SocketAddr,
    clients: &[(Role, Gauge)],
    patience: Duration,
) -> Result<Duration, Behind> {
    let begin = Instant::now();
    loop {
        let heads = heads(http, node, clients).await;
        let behind = behind(clients, &heads);
        match behind {
            Some(behind) if begin.elapsed() > patience => return Err(behind),
            Some(_) => sleep(EVERY).await,
            None => return Ok(begin.elapsed()),
        }
    }
}

/// Waits until every client's line is live; how long that took, or how many are not.
///
/// # Errors
/// How many are not at the end of `patience`.
pub async fn live(clients: &[(Role, Gauge)], patience: Duration) -> Result<Duration, usize> {
    let begin = Instant::now();
    loop {
        let lost = clients.iter().filter(|(_, gauge)| !gauge.read().is_live);
        match lost.count() {
            0 => return Ok(begin.elapsed()),
            lost if begin.elapsed() > patience => return Err(lost),
            _ => sleep(EVERY).await,
        }
    }
}

async fn heads(
    http: &Client,
    node: SocketAddr,
    clients: &[(Role, Gauge)],
) -> HashMap<UploadId, Seq> {
    let mut heads = HashMap::new();
    for (role, _) in clients {
        if heads.contains_key(&role.upload) {
            continue;
        }
        let url = format!("http://{node}{}", after(role.upload, Seq::ZERO));
        let page: Result<MessagePage, _> = read(http.get(url)).await;
        heads.extend(page.map(|page| (role.upload, page.head)));
    }
    heads
}

fn behind(clients: &[(Role, Gauge)], heads: &HashMap<UploadId, Seq>) -> Option<Behind> {
    let lacks = clients.iter().filter_map(|(role, gauge)| {
        let standing = gauge.read();
        let name = &role.name;
        match heads.get(&role.upload) {
            None => Some("the store does not answer".to_owned()),
            Some(head) if standing.cursor != *head => {
                Some(format!("{name} has {} of {head} messages", standing.cursor))
            }
            Some(_) if standing.unsent > 0 => {
                Some(format!("{name} has {} unsent messages", standing.unsent))
            }
            Some(_) => None,
        }
    });
    let lacks: Vec<String> = lacks.collect();
    let count = lacks.len();
    lacks
        .into_iter()
        .next()
        .map(|example| Behind { count, example })
}
