//! Everybody comes back at once, as after a deploy, and lacks a few messages.

use anyhow::Result;

use super::scene::Scene;
use super::{Bench, Sample, Unit, sample};
use crate::http::Client;
use crate::load::{Load, Opening, Script};
use crate::systems::{Instance, System, Wants, tonesa};
use crate::usage::ProcessorTime;

const WATCHERS: usize = 10_000;
/// Messages that each of them lacks.
const MISSED: usize = 20;

pub fn once(bench: &Bench, system: &dyn System) -> Result<Vec<Sample>> {
    let Scene { instance, load, .. } = Scene::open(bench, system, Wants::rooms(1), WATCHERS)?;
    post(&instance)?;
    drop(load);
    let process = instance.process()?;
    let reads_before = store_reads(&instance)?;
    let before = ProcessorTime::of(process)?;
    let mut load = Load::new()?;
    let all = Opening {
        at_once: WATCHERS,
        dead: false,
    };
    let script = |room| caught_up(&instance, room);
    let times = load.open(instance.address, &vec![0; WATCHERS], script, all)?;
    let processor = ProcessorTime::of(process)?.since(&before);
    let seconds = |quantile| times.value_at_quantile(quantile) as f64 / 1e3;
    let mut samples = vec![
        sample("half are back after", Unit::Milliseconds, seconds(0.5)),
        sample("all are back after", Unit::Milliseconds, seconds(1.0)),
        sample(
            "watchers back",
            Unit::PerCpuSecond,
            WATCHERS as f64 / processor.as_secs_f64(),
        ),
    ];
    if let (Some(before), Some(after)) = (reads_before, store_reads(&instance)?) {
        samples.push(sample("reads of the store", Unit::Count, after - before));
    }
    Ok(samples)
}

fn store_reads(instance: &Instance) -> Result<Option<f64>> {
    instance.metrics.map(tonesa::store_reads).transpose()
}

/// Where messages can be posted.
fn post(instance: &Instance) -> Result<()> {
    if let Some(request) = &instance.speech().post {
        let mut client = Client::connect(instance.address)?;
        for number in 0..MISSED {
            client.send(request(0, &format!("missed-{number}")).as_bytes())?;
            client.answer()?;
        }
    }
    Ok(())
}

/// Back is who has the last of the missed messages too.
fn caught_up(instance: &Instance, room: usize) -> Script {
    let script = instance.script(room);
    if instance.speech().post.is_none() {
        return script;
    }
    let steps = script.steps.into_iter().map(|mut step| {
        step.send = step.send.replace(r#""after":null"#, r#""after":0"#);
        step
    });
    Script {
        steps: steps.collect(),
        ready: "missed-19",
        ..script
    }
}
