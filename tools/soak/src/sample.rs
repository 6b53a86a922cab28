//! What the node holds at one moment.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::time::{ClockId, clock_gettime};
use reqwest::RequestBuilder;
use testbed::Node;

/// The files of the node's database, in its data folder.
const DATABASE: [&str; 3] = ["tonesa.db", "tonesa.db-wal", "tonesa.db-shm"];

/// A value of a sample: its name, with the unit that it is shown in.
pub type Row = (&'static str, fn(&Sample) -> f64);

/// All values that are shown.
pub const ROWS: [Row; 11] = [
    ("memory, MiB", |it| it.memory / MIB),
    ("descriptors", |it| it.descriptors),
    ("threads", |it| it.threads),
    ("sockets", |it| it.sockets),
    ("watched uploads", |it| it.topics),
    ("bytes waiting, KiB", |it| it.waiting / KIB),
    ("bytes of answers, KiB", |it| it.answers / KIB),
    ("images, MiB", |it| it.stored / MIB),
    ("database, MiB", |it| it.database / MIB),
    ("node, % of a core", |it| it.node_percent),
    ("driver, % of a core", |it| it.driver_percent),
];

const KIB: f64 = 1024.0;
/// Bytes in a MiB.
pub const MIB: f64 = 1024.0 * KIB;

/// Sizes are in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// Since people began to come.
    pub at: Duration,
    pub memory: f64,
    pub descriptors: f64,
    pub threads: f64,
    pub sockets: f64,
    pub topics: f64,
    pub waiting: f64,
    pub answers: f64,
    pub stored: f64,
    pub database: f64,
    /// Since the sample before.
    pub node_percent: f64,
    pub driver_percent: f64,
    /// Processor time until now.
    pub node_time: Duration,
    pub driver_time: Duration,
}

impl Sample {
    /// Looks at the node, whose metrics are at that address, so long after the start of the run.
    #[expect(clippy::cast_precision_loss, reason = "no number is that large")]
    pub async fn take(
        node: &Node,
        metrics: RequestBuilder,
        at: Duration,
        last: &Self,
    ) -> Result<Self> {
        let metrics = metrics.send().await?.error_for_status()?;
        let metrics = metrics.text().await?;
        let metric = |name| gauge(&metrics, name).with_context(|| format!("no metric {name}"));
        let data = node.path().join("data");
        let files = DATABASE
            .iter()
            .filter_map(|name| fs::metadata(data.join(name)).ok());
        let node_time = node.processor_time()?;
        let driver_time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into();
        let percent = |now: Duration, before: Duration| {
            if before.is_zero() {
                return 0.0;
            }
            let elapsed = at.saturating_sub(last.at).as_secs_f64();
            100.0 * now.saturating_sub(before).as_secs_f64() / elapsed.max(f64::EPSILON)
        };
        Ok(Self {
            at,
            memory: node.resident_memory()? as f64 * KIB,
            descriptors: node.open_descriptors()? as f64,
            threads: node.threads()? as f64,
            sockets: metric("tonesa_sockets_open")?,
            topics: metric("tonesa_topics_watched")?,
            waiting: metric("tonesa_bytes_waiting")?,
            answers: metric("tonesa_answer_bytes")?,
            stored: metric("tonesa_stored_bytes")?,
            database: files.map(|file| file.len() as f64).sum(),
            node_percent: percent(node_time, last.node_time),
            driver_percent: percent(driver_time, last.driver_time),
            node_time,
            driver_time,
        })
    }
}

/// The value of a metric without labels in the format of `OpenMetrics`.
fn gauge(metrics: &str, name: &str) -> Option<f64> {
    let values = metrics.lines().filter_map(|line| line.strip_prefix(name));
    values
        .filter_map(|rest| rest.strip_prefix(' '))
        .find_map(|value| value.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::gauge;

    #[test]
    fn a_gauge_is_found_by_its_whole_name() {
        let metrics = "# TYPE a gauge\na_b 1\na{c=\"d\"} 2\na 3\n# EOF\n";
        assert_eq!(gauge(metrics, "a"), Some(3.0));
        assert_eq!(gauge(metrics, "b"), None);
    }
}
