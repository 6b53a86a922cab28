//! Whether the nodes are alive: each answers whenever nothing is done to it, uses next to no processor time when nobody
//! is there, and leaves when it is asked to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use reqwest::Client;
use tokio::task::spawn_blocking;
use tokio::time::{interval, sleep};

use crate::bed::{ALL_NODES, Bed};
use crate::held::Held;
use crate::processor::Used;

/// How often a node is asked whether it lives, and how long it may take to say so, on a busy machine.
const EVERY: Duration = Duration::from_secs(1);
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// For how long processor time is counted, and how much a node may use meanwhile, in hundredths of a processor.
const IDLE: Duration = Duration::from_secs(3);
const MOST_WHEN_IDLE: u64 = 25;

/// Asks every node whether it lives, without an end, and blames those that do not answer.
pub async fn watch(bed: Arc<Bed>, http: Client) {
    let mut ticks = interval(EVERY);
    loop {
        ticks.tick().await;
        join_all(bed.held().map(|held| answers(held, &http))).await;
    }
}

/// Whether the node answers; it is blamed for silence while nothing is done to it.
async fn answers(held: &Held, http: &Client) -> bool {
    let Some(before) = held.left_alone() else {
        return false;
    };
    let url = format!("http://{}/livez", held.address());
    let answer = http.get(url).timeout(ANSWERS_WITHIN).send().await;
    // One that takes no connection has ended, which is seen elsewhere.
    let is_silent = answer.as_ref().is_err_and(reqwest::Error::is_timeout);
    if is_silent && held.left_alone() == Some(before) {
        held.blame(format!(
            "it did not answer /livez within {ANSWERS_WITHIN:?}"
        ));
    }
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// Where those listen that answer.
pub async fn answering<'a>(
    nodes: impl IntoIterator<Item = &'a Held>,
    http: &Client,
) -> Vec<SocketAddr> {
    let asked = nodes.into_iter().map(|held| async {
        let answers = answers(held, http).await;
        answers.then(|| held.address())
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// Nobody is there any more: blames the nodes that work all the same.
pub async fn idle(bed: &Bed) {
    let before: Vec<_> = bed.held().map(Used::by).collect();
    sleep(IDLE).await;
    for (held, before) in bed.held().zip(before) {
        let now = Used::by(held).zip(before);
        let percent = now.and_then(|(now, before)| now.percent_since(before));
        if let Some(percent) = percent.filter(|percent| *percent > MOST_WHEN_IDLE) {
            held.blame(format!(
                "it uses {percent} % of a processor though nobody is there"
            ));
        }
    }
}

/// Asks every node to leave.
pub async fn leave(bed: &Arc<Bed>) {
    let leaving = (0..ALL_NODES).map(|number| {
        let bed = Arc::clone(bed);
        spawn_blocking(move || bed.held().nth(number).map(Held::stop))
    });
    join_all(leaving).await;
}
