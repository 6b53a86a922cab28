//! One run, from the first process to the verdict.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Client;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval, sleep, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use crate::balancer::Balancer;
use crate::bed::{ALL_NODES, Bed, NODES};
use crate::check::{self, Seen};
use crate::client::Api;
use crate::crowd::{Crowd, Surroundings};
use crate::held::Held;
use crate::ledger::Ledger;
use crate::lone::Given;
use crate::memory::{self, Memory};
use crate::phase::Phase;
use crate::report::Report;
use crate::schedule::Planned;
use crate::uploads::{self, Uploads};
use crate::{schedule, settle, storm, vitals};

/// What the issue allows from the last repair on.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(15);
/// A try that is not answered is given up after 10 s, and the next one is at most 10 s later.
const LIVE_WITHIN: Duration = Duration::from_secs(30);
/// How long people write before the first fault, and after the last one.
const CALM: Duration = Duration::from_secs(6);
/// How long a message may take to be shown while nothing is wrong. A beacon alone would take up to 10 s.
const SHOWN_WITHIN: Duration = Duration::from_secs(4);
/// How many conversations there are.
const UPLOADS: usize = 3;
/// How long all frames are lost before and after people stop writing: together shorter than a node takes to notice that
/// its subscription is silent.
const END: Duration = Duration::from_secs(1);
const ALL: u8 = 100;
const MEMORY_EVERY: Duration = Duration::from_secs(2);

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides everything that is left to chance here.
    pub seed: u64,
    /// How long faults happen, with the calm before.
    pub length: Duration,
    /// How many clients there are.
    pub clients: usize,
    /// Mean time between two messages of a client.
    pub pace: Duration,
    /// The program of a node.
    pub program: PathBuf,
    /// Where the logs of all processes are kept.
    pub keep: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// When the run itself could not be made; what the product did wrong stands in the report.
pub async fn run(options: Options) -> Result<Report> {
    let bed = Bed::start(options.program.clone(), options.seed).await?;
    let run = Run::begin(Arc::clone(&bed), &options).await?;
    let report = run.go(&options).await;
    if let Some(folder) = &options.keep {
        bed.keep_logs(folder)?;
    }
    report
}

struct Run {
    bed: Arc<Bed>,
    http: Client,
    balancer: Balancer,
    ledger: Ledger,
    phase: watch::Sender<Phase>,
    crowd: Crowd,
    uploader: AbortOnDropHandle<Uploads>,
    first_uploads: Uploads,
    /// What the node that stands alone was given.
    given: Given,
    report: Report,
    memory: watch::Receiver<[Memory; ALL_NODES]>,
    _background: [AbortOnDropHandle<()>; 3],
}

impl Run {
    async fn begin(bed: Arc<Bed>, options: &Options) -> Result<Self> {
        let http = Client::builder().no_proxy().build()?;
        let balancer = Balancer::new(bed.nodes().iter().map(Held::address));
        let (phase, phases) = watch::channel(Phase::Writing);
        let first = uploads::first(UPLOADS, &http, &balancer, options.seed)
            .await
            .context("making the first uploads")?;
        let given = bed.lone().give(&http, options.seed).await;
        let given = given.context("giving pictures to the node that stands alone")?;
        let ids: Vec<_> = first.iter().map(|(upload, _)| upload.id).collect();
        let around = Surroundings {
            api: Api::new(http.clone(), balancer.clone()),
            ledger: Ledger::default(),
            phase: phases.clone(),
            pace: options.pace,
        };
        let uploader =
            uploads::keep_trying(http.clone(), balancer.clone(), options.seed + 1, phases);
        let (memory, memories) = watch::channel([Memory::default(); ALL_NODES]);
        let background = [
            tokio::spawn(balancer.clone().watch(http.clone())),
            tokio::spawn(watch_memory(Arc::clone(&bed), memory)),
            tokio::spawn(vitals::watch(Arc::clone(&bed), http.clone())),
        ];
        Ok(Self {
            bed,
            http,
            balancer,
            crowd: Crowd::gather(options.clients, &ids, options.seed, &around),
            ledger: around.ledger,
            phase,
            uploader: AbortOnDropHandle::new(tokio::spawn(uploader)),
            first_uploads: Uploads {
                acknowledged: first,
                ..Uploads::default()
            },
            given,
            report: Report::new(options.seed),
            memory: memories,
            _background: background.map(AbortOnDropHandle::new),
        })
    }

    async fn go(mut self, options: &Options) -> Result<Report> {
        let plan = schedule::draw(options.seed, CALM, options.length, NODES);
        println!("chaos: seed {}, {} faults:", options.seed, plan.len());
        for fault in &plan {
            println!("{fault}");
        }
        if let Err(lost) = settle::live(self.crowd.residents(), LIVE_WITHIN).await {
            self.report
                .blame(format!("{lost} clients did not even come to be live"));
        }
        let begin = Instant::now();
        self.ledger.calm(true);
        sleep(CALM).await;
        self.ledger.calm(false);
        self.report.delays_before = std::mem::take(&mut self.ledger.book().delays);
        self.report.faults = storm::rage(&self.bed, &plan, begin).await?;
        self.lose_the_end().await;
        println!(
            "chaos: everything is repaired after {:.1} s",
            begin.elapsed().as_secs_f64()
        );
        self.catch_up().await;
        let over = plan.iter().map(Planned::end).max().unwrap_or_default();
        sleep_until(begin + over).await;
        self.write_again().await;
        self.finish().await
    }

    /// People stop writing while all frames are lost: no later frame will show that something is missing.
    async fn lose_the_end(&self) {
        println!("chaos: from now on all frames from Redis are lost, until everybody is quiet");
        self.bed.lose(ALL);
        sleep(END).await;
        self.phase.send_replace(Phase::Quiet);
        sleep(END).await;
        self.bed.lose(0);
    }

    async fn catch_up(&mut self) {
        match self.settle(CATCH_UP_WITHIN).await {
            Ok(took) => self.report.caught_up = Some(took),
            Err(behind) => self.report.blame(format!(
                "{CATCH_UP_WITHIN:?} after the last repair {} clients have not caught up: {}",
                behind.count, behind.example
            )),
        }
        match settle::live(self.crowd.residents(), LIVE_WITHIN).await {
            Ok(took) => self.report.live = Some(took),
            Err(lost) => self.report.blame(format!(
                "{LIVE_WITHIN:?} after that {lost} clients are still not connected"
            )),
        }
    }

    /// When nothing is wrong any more, everything is shown at once again, whatever happened before.
    async fn write_again(&mut self) {
        self.ledger.calm(true);
        self.phase.send_replace(Phase::Writing);
        sleep(CALM).await;
        self.phase.send_replace(Phase::Quiet);
        if let Err(behind) = self.settle(CATCH_UP_WITHIN).await {
            self.report.blame(format!(
                "of what was written after all repairs {} clients have not got everything: {}",
                behind.count, behind.example
            ));
        }
        let delays = std::mem::take(&mut self.ledger.book().delays);
        let late = delays.iter().filter(|delay| **delay > SHOWN_WITHIN).count();
        if late > 0 {
            self.report.blame(format!(
                "of what was written after all repairs {late} of {} were shown later than {SHOWN_WITHIN:?}",
                delays.len()
            ));
        }
        self.report.delays_after = delays;
    }

    async fn settle(&self, patience: Duration) -> Result<Duration, settle::Behind> {
        let node = self.balancer.choose();
        settle::caught_up(&self.http, node, self.crowd.residents(), patience).await
    }

    async fn finish(mut self) -> Result<Report> {
        self.phase.send_replace(Phase::Over);
        let seen = self.crowd.leave().await?;
        let mut uploads = self.uploader.await?;
        uploads
            .acknowledged
            .extend(self.first_uploads.acknowledged.iter().cloned());
        let report = &mut self.report;
        report.take_book(&mut self.ledger.book());
        report.memory = self.memory.borrow().to_vec();
        report.lost_frames = self.bed.lost_frames();
        report.transcripts = seen.len();
        report.uploads = uploads;
        vitals::idle(&self.bed).await;
        let nodes = vitals::answering(self.bed.nodes(), &self.http).await;
        compare(&self.http, &nodes, &seen, &self.first_uploads, report).await;
        if let [_] = *vitals::answering([self.bed.lone().held()], &self.http).await {
            report.blame_all(self.bed.lone().lost(&self.http, &self.given).await);
        }
        vitals::leave(&self.bed).await;
        report.blame_all(check::nodes(&self.bed, &report.memory));
        Ok(self.report)
    }
}

/// Compares what the clients saw and what was acknowledged with what these nodes tell. One that does not answer is not
/// asked: it is blamed for that already.
async fn compare(
    http: &Client,
    nodes: &[SocketAddr],
    seen: &[Seen],
    talked_about: &Uploads,
    report: &mut Report,
) {
    if nodes.is_empty() {
        report.blame("no node answers any more: nothing could be compared".to_owned());
        return;
    }
    let uploads = talked_about.acknowledged.iter();
    let ids: Vec<_> = uploads.map(|(upload, _)| upload.id).collect();
    match check::conversations(http, nodes, &ids).await {
        Ok((conversations, faults)) => {
            report.blame_all(faults);
            report.stored = conversations.values().map(Vec::len).sum();
            report.blame_all(check::acknowledged(&report.acknowledged, &conversations));
            report.take_verdict(check::transcripts(seen, &conversations));
        }
        Err(failure) => report.blame(format!("the conversations cannot be read: {failure}")),
    }
    let faults = check::pictures(http, nodes, &report.uploads.acknowledged).await;
    report.blame_all(faults);
}

async fn watch_memory(bed: Arc<Bed>, memory: watch::Sender<[Memory; ALL_NODES]>) {
    let mut ticks = interval(MEMORY_EVERY);
    loop {
        ticks.tick().await;
        let (bed, mut now) = (Arc::clone(&bed), *memory.borrow());
        let looked = spawn_blocking(move || {
            memory::look(&bed, &mut now);
            now
        });
        if let Ok(now) = looked.await {
            memory.send_replace(now);
        }
    }
}
