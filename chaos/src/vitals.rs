//! Whether the nodes are alive: each answers whenever nothing is done to it, uses next to no processor time when nobody
//! is there, and leaves when it is asked to.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use reqwest::Client;
use tokio::task::spawn_blocking;
use tokio::time::{interval, sleep};

use crate::bed::{ALL_NODES, Bed};
use crate::held::Held;

/// How often a node is asked whether it lives, and how long it may take to say so, on a busy machine.
const EVERY: Duration = Duration::from_secs(1);
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// For how long processor time is counted, and how much a node may use meanwhile, in hundredths of a processor.
const IDLE: Duration = Duration::from_secs(3);
const MOST_WHEN_IDLE: u64 = 25;
/// Linux counts the processor time of a process in hundredths of a second.
const TICKS_PER_SECOND: u64 = 100;

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
    let before: Vec<_> = bed.held().map(processor_time).collect();
    sleep(IDLE).await;
    for (held, before) in bed.held().zip(before) {
        let Some((before, after)) = before.zip(processor_time(held)) else {
            continue;
        };
        let percent = 100 * (after - before) / (TICKS_PER_SECOND * IDLE.as_secs());
        if percent > MOST_WHEN_IDLE {
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

/// The processor time that the node has used, in ticks.
fn processor_time(held: &Held) -> Option<u64> {
    let process = held.node().process().id()?;
    ticks(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// In user mode and in the kernel: the 14th and the 15th field. The second, a name in brackets, may hold spaces.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn processor_time_is_read_whatever_the_process_is_called() {
        let stat = "77 (a ) name) S 1 77 77 0 -1 4194560 900 0 5 0 120 34 0 0 20 0 9 0";
        assert_eq!(ticks(stat), Some(154));
        assert_eq!(ticks("77 (name) S 1"), None);
    }
}
