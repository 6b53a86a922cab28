//! One run, from the first process to the verdict.

use std::path::PathBuf;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use app::model::{Upload, UploadId};
use clap::Parser;
use futures::future::try_join;
use reqwest::Client;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::balancer::Balancer;
use crate::check::{self, DeletedTexts};
use crate::client::{self, Api, Clients, Phase, Progress, Role};
use crate::comparison::Comparison;
use crate::environment::{ALL_NODES, Environment, NODES};
use crate::managed_node::ManagedNode;
use crate::processor::{SAMPLE_INTERVAL, Usage};
use crate::recorder::Recorder;
use crate::report::Report;
use crate::restores::Restores;
use crate::uploads::{self, Sent};
use crate::{cached_pages, convergence, health, inject, schedule};

/// Clients that are connected must have all messages within this time. What could not be sent during the faults is sent
/// first, which takes long on a busy machine.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(30);
/// After the last repair, clients must be connected within this time: an attempt times out after 10 s, and the next one
/// is at most 10 s later.
const LIVE_TIMEOUT: Duration = Duration::from_secs(30);
/// The time for which users write before the first fault, and after the last repair.
const FAULT_FREE_TIME: Duration = Duration::from_secs(6);
/// The longest that a message may take to be listed after all repairs. Announced heads alone would take up to 10 s.
const MAX_DELAY: Duration = Duration::from_secs(4);
/// The number of conversations.
const UPLOADS: usize = 3;

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
    /// The time during which faults happen, in minutes, including the fault-free time before
    #[arg(long, default_value_t = 1.0)]
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
    let run = Run::start(Arc::clone(&environment), &options, recorder).await?;
    let report = run.run_all(&options).await;
    if let Some(folder) = &options.keep {
        environment.keep_logs(folder)?;
    }
    report
}

struct Run {
    environment: Arc<Environment>,
    api: Api,
    recorder: Recorder,
    phase: watch::Sender<Phase>,
    clients: Clients,
    /// The uploads that the clients write about.
    first_uploads: Vec<Sent>,
    /// Those of the standalone node, and its clients, who write about the first one.
    standalone_uploads: Vec<Sent>,
    standalone_clients: Clients,
    /// Further uploads, to the nodes that share the backends and to the standalone one.
    uploaders: [AbortOnDropHandle<Vec<Sent>>; 2],
    report: Report,
    usage: watch::Receiver<[Usage; ALL_NODES]>,
    _background: [AbortOnDropHandle<()>; 2],
}

impl Run {
    async fn start(
        environment: Arc<Environment>,
        options: &Options,
        recorder: Recorder,
    ) -> Result<Self> {
        let seed = options.seed;
        let http = Client::builder().no_proxy().build()?;
        let balancer = Balancer::new(environment.nodes().iter().map(ManagedNode::address));
        let api = Api::new(http, balancer);
        let first_uploads =
            uploads::first(UPLOADS, (&api, &recorder), seed, client::owner_in_crowd);
        let first_uploads = first_uploads.await;
        let first_uploads = first_uploads.context("making the first uploads")?;
        let standalone = environment.standalone();
        let standalone_uploads = standalone.fill(&api, seed, &recorder).await;
        let standalone_uploads = standalone_uploads.context("filling the standalone node")?;
        let (phase, phases) = watch::channel(Phase::Writing);
        let context = client::Context {
            api: api.clone(),
            recorder: recorder.clone(),
            phase: phases,
            restores: Restores::default(),
        };
        let standalone_context = client::Context {
            api: api.behind(standalone.balancer().clone()),
            restores: standalone.restores().clone(),
            ..context.clone()
        };
        let uploaders = [
            uploads::keep_uploading(context.clone(), 'e', seed.wrapping_add(1)),
            uploads::keep_uploading(standalone_context.clone(), 'l', seed.wrapping_add(2)),
        ];
        let (usage, usages) = watch::channel([Usage::default(); ALL_NODES]);
        let background = [
            tokio::spawn(watch_usage(Arc::clone(&environment), usage)),
            tokio::spawn(health::watch(Arc::clone(&environment), api.clone())),
        ];
        let crowd = client::crowd(&ids(&first_uploads), seed);
        let few = client::few(standalone_uploads[0].upload.id, seed);
        Ok(Self {
            environment,
            api,
            recorder,
            clients: Clients::start(crowd, &context),
            phase,
            first_uploads,
            standalone_uploads,
            standalone_clients: Clients::start(few, &standalone_context),
            uploaders: uploaders.map(|uploader| AbortOnDropHandle::new(tokio::spawn(uploader))),
            report: Report {
                seed,
                ..Report::default()
            },
            usage: usages,
            _background: background.map(AbortOnDropHandle::new),
        })
    }

    async fn run_all(mut self, options: &Options) -> Result<Report> {
        let length = Duration::from_secs_f64(60.0 * options.minutes.max(0.0));
        let lanes = schedule::draw(options.seed, FAULT_FREE_TIME, length, NODES);
        let faults: usize = lanes.iter().map(Vec::len).sum();
        println!("chaos: seed {}, {faults} faults:", options.seed);
        if let Err(lost) = convergence::live(&self.all_clients(), LIVE_TIMEOUT).await {
            self.violation(format!("{lost} clients did not connect before the faults"));
        }
        let begin = Instant::now();
        sleep(FAULT_FREE_TIME).await;
        inject::inject(&self.environment, &lanes, begin, &self.recorder).await?;
        let repaired = begin.elapsed().as_secs_f64();
        println!("chaos: everything is repaired after {repaired:.1} s");
        self.catch_up().await;
        self.write_after_repair().await;
        self.finish().await
    }

    /// Clients connect, send what is unsent, and catch up.
    async fn catch_up(&mut self) {
        self.phase.send_replace(Phase::Quiet);
        match convergence::live(&self.all_clients(), LIVE_TIMEOUT).await {
            Ok(took) => self.report.live = Some(took),
            Err(lost) => self.violation(format!(
                "{LIVE_TIMEOUT:?} after the last repair {lost} clients are not connected"
            )),
        }
        self.report.caught_up = self.converge("after that").await;
    }

    /// Without faults messages are listed at once again.
    async fn write_after_repair(&mut self) {
        self.recorder.start_measuring();
        self.phase.send_replace(Phase::Writing);
        sleep(FAULT_FREE_TIME).await;
        self.phase.send_replace(Phase::Quiet);
        self.converge("after the writing that followed all repairs")
            .await;
        self.delete_what_is_shown().await;
        self.converge("after what the pages showed was deleted")
            .await;
        let longest = self.recorder.lock().longest_delay;
        if longest > MAX_DELAY {
            self.violation(format!(
                "after all repairs a message was listed {longest:?} after its post, later than {MAX_DELAY:?}"
            ));
        }
    }

    /// Deletes what the pages of all nodes show.
    async fn delete_what_is_shown(&self) {
        let nodes = |nodes: &[ManagedNode]| -> Vec<_> {
            let nodes = nodes.iter();
            nodes.map(|node| self.api.of_node(node.address())).collect()
        };
        let shared = nodes(self.environment.nodes());
        let alone = nodes(slice::from_ref(self.environment.standalone().node()));
        let recorder = &self.recorder;
        for (number, Sent { upload, .. }) in self.first_uploads.iter().enumerate() {
            let owner = client::owner_in_crowd(number);
            cached_pages::delete_newest(&shared, upload, &owner, recorder).await;
        }
        if let Some(Sent { upload, .. }) = self.standalone_uploads.first() {
            let owner = client::owner_in_few();
            cached_pages::delete_newest(&alone, upload, &owner, recorder).await;
        }
    }

    /// Waits until all clients have all messages. Returns how long that took; `None` if it took too long.
    async fn converge(&self, when: &str) -> Option<Duration> {
        let node = self.api.of_node(self.api.choose_node());
        let standalone = self.environment.standalone().node();
        let standalone = self.api.of_node(standalone.address());
        let converged = try_join(
            convergence::caught_up(&node, &self.clients.progress, CATCH_UP_TIMEOUT),
            convergence::caught_up(
                &standalone,
                &self.standalone_clients.progress,
                CATCH_UP_TIMEOUT,
            ),
        );
        converged
            .await
            .map(|(shared, alone)| shared.max(alone))
            .map_err(|behind| self.violation(format!("{CATCH_UP_TIMEOUT:?} {when} {behind}")))
            .ok()
    }

    fn all_clients(&self) -> Vec<(Role, watch::Receiver<Progress>)> {
        let all = [&self.clients, &self.standalone_clients];
        all.map(|clients| clients.progress.clone()).concat()
    }

    async fn finish(mut self) -> Result<Report> {
        self.phase.send_replace(Phase::Over);
        let seen = self.clients.finish().await?;
        let seen_alone = self.standalone_clients.finish().await?;
        let report = &mut self.report;
        report.usage = self.usage.borrow().to_vec();
        report.lists = seen.len() + seen_alone.len();
        health::check_idle(&self.environment).await;
        let [uploads, uploads_alone] = self.uploaders;
        let (uploads, uploads_alone) = (uploads.await?, uploads_alone.await?);
        let http = Client::builder().no_proxy().build()?;
        let standalone = self.environment.standalone();
        let shared = Comparison {
            name: "nodes",
            nodes: health::answering(self.environment.nodes(), &self.api).await,
            seen: &seen,
            conversations: &uploads_of(&self.first_uploads),
            uploads: &[self.first_uploads, uploads].concat(),
            blobs: self.environment.blobs(http),
            texts: self.environment.texts(),
            restores: &Restores::default(),
        };
        let alone = Comparison {
            name: "standalone node",
            nodes: health::answering([standalone.node()], &self.api).await,
            seen: &seen_alone,
            conversations: &uploads_of(&self.standalone_uploads),
            uploads: &[self.standalone_uploads, uploads_alone].concat(),
            blobs: standalone.blobs(),
            texts: standalone.texts(),
            restores: standalone.restores(),
        };
        let mut texts = DeletedTexts::default();
        for comparison in [shared, alone] {
            let (stored, deleted) = comparison.check(&self.recorder).await?;
            report.stored += stored;
            texts.extend(deleted);
        }
        self.recorder
            .count("deleted text searched for", texts.len());
        health::stop_all(&self.environment).await;
        for (usage, node) in report.usage.iter().zip(self.environment.all_nodes()) {
            usage.check(node);
        }
        self.recorder
            .violations(check::logs(&self.environment, &texts));
        report.records = std::mem::take(&mut *self.recorder.lock());
        Ok(self.report)
    }

    fn violation(&self, violation: String) {
        self.recorder.violation(violation);
    }
}

fn uploads_of(sent: &[Sent]) -> Vec<Upload> {
    sent.iter().map(|it| it.upload.clone()).collect()
}

fn ids(sent: &[Sent]) -> Vec<UploadId> {
    sent.iter().map(|it| it.upload.id).collect()
}

async fn watch_usage(environment: Arc<Environment>, usage: watch::Sender<[Usage; ALL_NODES]>) {
    loop {
        sleep(SAMPLE_INTERVAL).await;
        let (environment, mut now) = (Arc::clone(&environment), *usage.borrow());
        let sampled = spawn_blocking(move || {
            for (node, usage) in environment.all_nodes().zip(&mut now) {
                usage.sample(node);
            }
            now
        });
        if let Ok(now) = sampled.await {
            usage.send_replace(now);
        }
    }
}
