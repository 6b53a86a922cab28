//! One run, from the first process to the verdict.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use futures::future::{join_all, try_join_all};
use reqwest::Client;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::check::{self, DeletedTexts};
use crate::client::{Api, Context, Phase};
use crate::environment::{Deployment, Environment, NODES};
use crate::recorder::Recorder;
use crate::report::Report;
use crate::side::Side;
use crate::{health, inject, schedule};

/// After the last repair, clients must be connected within this time: an attempt times out after 10 s, and the next one
/// is at most 10 s later.
const LIVE_TIMEOUT: Duration = Duration::from_secs(30);
/// Clients that are connected must have all messages within this time. What could not be sent during the faults is sent
/// first, which takes long on a busy machine.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(45);
/// The time for which users write before the first fault.
const FAULT_FREE_TIME: Duration = Duration::from_secs(6);
/// The time for which they write after the last repair: longer than a node that is not subscribed takes to learn from
/// the store what it has missed, which is up to 10 s.
const CALM_TIME: Duration = Duration::from_secs(12);
/// The longest that a message may take to be listed then.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// The options of a run.
#[derive(Debug, Parser)]
#[command(
    name = "chaos",
    about = "Inject faults while clients write, and compare what they list with what is stored"
)]
pub struct Options {
    /// The random seed [default: random]
    #[arg(long, default_value_t = rand::random_range(0..1_000_000), hide_default_value = true)]
    seed: u64,
    /// The time during which faults happen, in minutes, including the fault-free time before; by default long enough
    /// for each kind, and no longer
    #[arg(long, default_value_t = 1.25)]
    minutes: f64,
    /// The program of a node
    #[arg(long)]
    program: PathBuf,
    /// A folder in which the logs of all processes are kept
    #[arg(long)]
    keep: Option<PathBuf>,
}

/// Runs the test. An error means that the run itself failed; violations by the program are in the report.
pub async fn run(options: Options) -> Result<Report> {
    let recorder = Recorder::default();
    // Nodes run in folders of their own.
    let program = std::path::absolute(&options.program)?;
    let environment = Environment::start(program, options.seed, recorder.clone()).await?;
    let run = Run::start(Arc::clone(&environment), options.seed, recorder).await?;
    let report = run.run_all(&options).await;
    if let Some(folder) = &options.keep {
        environment.keep_logs(folder)?;
    }
    report
}

struct Run {
    environment: Arc<Environment>,
    recorder: Recorder,
    phase: watch::Sender<Phase>,
    sides: Vec<Side>,
    report: Report,
    _background: AbortOnDropHandle<()>,
}

impl Run {
    async fn start(environment: Arc<Environment>, seed: u64, recorder: Recorder) -> Result<Self> {
        let http = Client::builder().no_proxy().build()?;
        let api = Api::new(http, environment.balancer(Deployment::Shared));
        let (phase, phases) = watch::channel(Phase::Writing);
        let start = |deployment| {
            let context = Context {
                api: api.behind(environment.balancer(deployment)),
                recorder: recorder.clone(),
                phase: phases.clone(),
                restores: environment.restores(deployment),
            };
            Side::start(deployment, Arc::clone(&environment), context, seed)
        };
        let sides = try_join_all([Deployment::Shared, Deployment::Standalone].map(start)).await?;
        let watching = health::watch(Arc::clone(&environment), api.clone());
        Ok(Self {
            _background: AbortOnDropHandle::new(tokio::spawn(watching)),
            environment,
            recorder,
            phase,
            sides,
            report: Report {
                seed,
                ..Report::default()
            },
        })
    }

    async fn run_all(mut self, options: &Options) -> Result<Report> {
        let length = Duration::from_secs_f64(60.0 * options.minutes.max(0.0));
        let lanes = schedule::draw(options.seed, FAULT_FREE_TIME, length, NODES);
        let faults: usize = lanes.iter().map(Vec::len).sum();
        println!("chaos: seed {}, {faults} faults:", options.seed);
        self.connect("at the start").await;
        let begin = Instant::now();
        sleep(FAULT_FREE_TIME).await;
        inject::inject(&self.environment, &lanes, begin, &self.recorder).await?;
        let repaired = begin.elapsed().as_secs_f64();
        println!("chaos: everything is repaired after {repaired:.1} s");
        self.phase.send_replace(Phase::Quiet);
        self.report.live = self.connect("after the last repair").await;
        self.report.caught_up = self.converge("after the last repair").await;
        self.write_after_repair().await;
        self.finish().await
    }

    /// Without faults messages are listed at once again.
    async fn write_after_repair(&mut self) {
        self.recorder.start_measuring();
        self.phase.send_replace(Phase::Writing);
        sleep(CALM_TIME).await;
        self.phase.send_replace(Phase::Quiet);
        self.converge("after the writing that followed all repairs")
            .await;
        for side in &self.sides {
            side.delete_what_is_shown().await;
        }
        self.converge("after what the pages showed was deleted")
            .await;
        let longest = self.recorder.lock().longest_delay;
        if longest > MAX_DELAY {
            self.recorder.violation(format!(
                "after all repairs a message was listed {longest:?} after its post, later than {MAX_DELAY:?}"
            ));
        }
    }

    async fn connect(&self, when: &str) -> Option<Duration> {
        let all = self.sides.iter().map(|side| side.connect(LIVE_TIMEOUT));
        self.longest(join_all(all).await, when)
    }

    async fn converge(&self, when: &str) -> Option<Duration> {
        let all = self
            .sides
            .iter()
            .map(|side| side.converge(CATCH_UP_TIMEOUT));
        self.longest(join_all(all).await, when)
    }

    /// How long all took; `None` if one took too long, which is reported.
    fn longest(&self, all: Vec<Result<Duration, String>>, when: &str) -> Option<Duration> {
        let all: Result<Vec<_>, _> = all.into_iter().collect();
        match all {
            Ok(times) => times.into_iter().max(),
            Err(lack) => {
                self.recorder.violation(format!("{when} {lack}"));
                None
            }
        }
    }

    async fn finish(mut self) -> Result<Report> {
        self.phase.send_replace(Phase::Over);
        let ended = try_join_all(self.sides.into_iter().map(Side::end)).await?;
        health::check_idle(&self.environment).await;
        let report = &mut self.report;
        let mut texts = DeletedTexts::default();
        for side in ended {
            let (stored, deleted) = side.check().await?;
            report.lists += side.seen.len();
            report.stored += stored;
            texts.extend(deleted);
        }
        self.recorder
            .count("deleted text searched for", texts.len());
        health::stop_all(&self.environment).await;
        self.recorder
            .violations(check::logs(&self.environment, &texts));
        report.records = std::mem::take(&mut *self.recorder.lock());
        Ok(self.report)
    }
}
