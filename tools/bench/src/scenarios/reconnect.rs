//! Everybody comes back at once, as after a deploy, and lacks a few messages.

use anyhow::Result;

use super::Unit::{Count, Milliseconds};
use super::session::Session;
use super::{Bench, Sample, sample};
use crate::http::Client;
use crate::load::{Load, Opening, Script};
use crate::systems::{Instance, Setup, System, tonesa};

const WATCHERS: usize = 10_000;
/// Messages that each of them lacks, where messages can be posted.
const MISSED: usize = 20;

pub fn run(bench: &Bench, system: System) -> Result<Vec<Sample>> {
    let Session { instance, load } = Session::open(bench, system, Setup::rooms(1), WATCHERS)?;
    if let Some(request) = &instance.protocol.post {
        let mut client = Client::connect(instance.address)?;
        for number in 0..MISSED {
            client.request(request(0, &format!("missed-{number}")))?;
        }
    }
    drop(load);
    let reads = || instance.metrics.map(tonesa::store_reads).transpose();
    let before = reads()?;
    let all = Opening {
        at_once: WATCHERS,
        stalled: false,
    };
    let script = |room| catch_up(&instance, room);
    let took = Load::new()?.open(instance.address, &vec![0; WATCHERS], script, all)?;
    let milliseconds = took.as_secs_f64() * 1e3;
    let mut samples = vec![sample("all are back after", Milliseconds, milliseconds)];
    if let (Some(before), Some(after)) = (before, reads()?) {
        samples.push(sample("reads of the store", Count, after - before));
    }
    Ok(samples)
}

/// A watcher is back when it has the last of the missed messages too.
fn catch_up(instance: &Instance, room: usize) -> Script {
    let mut script = instance.script(room);
    if instance.protocol.post.is_some() {
        for step in &mut script.steps {
            step.send = step.send.replace(r#""after":null"#, r#""after":0"#);
        }
        script.ready = "missed-19";
    }
    script
}
