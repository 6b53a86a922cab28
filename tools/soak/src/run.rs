//! One run, from the start of the node to the verdict.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use reqwest::Client;
use testbed::Node;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::counters::{BUSY, GAPS};
use crate::person::{self, World};
use crate::sample::Sample;
use crate::verdict::{Course, line};

const SAMPLE_INTERVAL: Duration = Duration::from_secs(10);
const METRICS_TIMEOUT: Duration = Duration::from_secs(10);
const LINE_INTERVAL: Duration = Duration::from_mins(1);
/// A shorter run has so many samples.
const MIN_SAMPLES: u32 = 24;
/// People come one after the other for so long, or in a shorter run for a tenth of it.
const ARRIVAL: Duration = Duration::from_secs(30);
/// So many people look at each upload.
const PEOPLE_PER_UPLOAD: u32 = 10;
const MIN_UPLOADS: u32 = 3;
/// The node must have let go of everything so long after all have left.
const LEAVE_TIMEOUT: Duration = Duration::from_mins(1);
const LEAVE_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The options of a run.
#[derive(Debug, Parser)]
#[command(
    name = "soak",
    about = "Let people come, talk and leave for hours, and check that the node's memory and open files do not grow"
)]
pub struct Options {
    /// For how long people come, in minutes
    #[arg(long, default_value_t = 60.0, value_parser = positive)]
    minutes: f64,
    /// How many people are there at any time
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    people: u32,
    /// How long a person stays, in seconds; the mean
    #[arg(long, default_value_t = 60.0, value_parser = positive)]
    stay: f64,
    /// The random seed [default: random]
    #[arg(long, default_value_t = rand::random_range(0..1_000_000), hide_default_value = true)]
    seed: u64,
    /// The program of a node
    #[arg(long)]
    program: PathBuf,
}

fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    if number > 0.0 && number.is_finite() {
        Ok(number)
    } else {
        Err("it must be greater than 0".to_owned())
    }
}

/// Runs the test and prints what it finds. Returns whether it has passed; an error means that the run itself failed.
pub async fn run(options: Options) -> Result<bool> {
    rlimit::increase_nofile_limit(rlimit::INFINITY)?;
    let program = std::path::absolute(&options.program)?;
    println!("soak: seed {}", options.seed);
    let site = testbed::minimal_site()?;
    let metrics = testbed::free_port()?;
    let folder = site.path().to_owned();
    let node = spawn_blocking(move || start(&program, &folder, metrics)).await??;
    let world = Arc::new(World {
        node: node.address(),
        board: Board::new((options.people / PEOPLE_PER_UPLOAD).max(MIN_UPLOADS) as usize),
        counters: Arc::default(),
        seed: options.seed,
        stay: Duration::from_secs_f64(options.stay),
    });
    let mut run = Run {
        metrics: format!("http://127.0.0.1:{metrics}/metrics"),
        length: Duration::from_secs_f64(options.minutes * 60.0),
        // The node closes a connection about when the next request of it would be sent.
        http: Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()?,
        samples: Vec::new(),
        number: Arc::default(),
        node,
        world,
        options,
    };
    let problems = run.run_all().await?;
    for problem in &problems {
        println!("soak: {problem}");
    }
    println!(
        "soak: {}",
        if problems.is_empty() {
            "passed"
        } else {
            "FAILED"
        }
    );
    Ok(problems.is_empty())
}

/// A node with its default limits, to which everyone on this machine may say which client it speaks for.
fn start(program: &Path, site: &Path, metrics: u16) -> Result<Node> {
    let site = site.to_str().context("a folder's name is UTF-8")?;
    let environment = [
        ("TONESA_SITE_DIR", site),
        ("METRICS_PORT", &metrics.to_string()),
        ("TONESA_TRUSTED_PROXIES", "127.0.0.1/32"),
        // An empty value is as none: the program's own defaults.
        ("TONESA_UPLOADS_PER_MINUTE", ""),
        ("TONESA_MESSAGES_PER_MINUTE", ""),
        ("TONESA_PICTURES_PER_MINUTE", ""),
        ("TONESA_MISSES_PER_MINUTE", ""),
    ];
    Node::start(program, &environment)
}

struct Run {
    options: Options,
    node: Node,
    world: Arc<World>,
    http: Client,
    /// The address of the node's metrics.
    metrics: String,
    length: Duration,
    samples: Vec<Sample>,
    /// Of the next person.
    number: Arc<AtomicU32>,
}

impl Run {
    /// Returns what was found, as sentences.
    async fn run_all(&mut self) -> Result<Vec<String>> {
        for _ in 0..(self.options.people / PEOPLE_PER_UPLOAD).max(MIN_UPLOADS) {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            let uploaded = person::upload_one(&self.world, number).await;
            if let Err(failure) = uploaded {
                bail!("the first uploads failed: {failure:?}");
            }
        }
        let begin = Instant::now();
        let idle = self.sample(begin, &Sample::default()).await?;
        println!("soak: {}", line(&idle));
        let leave = CancellationToken::new();
        let mut people = self.people(begin, &leave);
        let watched = self.watch(begin, &idle).await;
        leave.cancel();
        let mut problems = Vec::new();
        if let Err(error) = watched {
            if self.node.is_running() {
                return Err(error);
            }
            problems.push(format!("the node has ended: {}", self.node.log()));
            return Ok(problems);
        }
        while let Some(ended) = people.join_next().await {
            ended?;
        }
        let (left, problem) = self.all_left(begin, &idle).await?;
        let course = Course {
            samples: &self.samples,
            length: self.length,
        };
        println!(
            "soak: {}\n{}",
            self.world.counters,
            course.table(&idle, &left)
        );
        problems.extend(course.problems(self.options.people));
        problems.extend(problem);
        let errors = self.world.counters.errors();
        if errors > 0 {
            problems.push(format!("{errors} errors that nobody expected"));
        }
        if self.world.counters.number(GAPS) > 0 && self.world.counters.number(BUSY) == 0 {
            problems.push("frames were missing although no answer was 503".to_owned());
        }
        if self.node.terminate().is_err() {
            problems.push("the node does not end by SIGTERM".to_owned());
        }
        Ok(problems)
    }

    /// A task for each of the people that are there at a time: whoever leaves is followed by another one.
    fn people(&self, begin: Instant, leave: &CancellationToken) -> JoinSet<()> {
        let arrival = ARRIVAL.min(self.length / 10);
        let slots = 0..self.options.people;
        let slots = slots.map(|slot| {
            let comes_at = begin + arrival * slot / self.options.people;
            let (world, number) = (Arc::clone(&self.world), Arc::clone(&self.number));
            let leave = leave.clone();
            async move {
                sleep_until(comes_at).await;
                while !leave.is_cancelled() {
                    let number = number.fetch_add(1, Ordering::Relaxed);
                    person::live(Arc::clone(&world), number, leave.clone()).await;
                }
            }
        });
        slots.collect()
    }

    /// Takes samples until the end of the run.
    async fn watch(&mut self, begin: Instant, idle: &Sample) -> Result<()> {
        let interval = SAMPLE_INTERVAL.min(self.length / MIN_SAMPLES);
        let (mut last, mut next_line) = (*idle, LINE_INTERVAL);
        let mut at = interval;
        while at <= self.length {
            sleep_until(begin + at).await;
            last = self.sample(begin, &last).await?;
            // It took a moment, which belongs to no window.
            last.at = at;
            if at >= next_line {
                println!(
                    "soak: {}; {} errors",
                    line(&last),
                    self.world.counters.errors()
                );
                next_line += LINE_INTERVAL;
            }
            self.samples.push(last);
            at += interval;
        }
        Ok(())
    }

    /// Waits until the node has let go of everybody. Returns what it holds then, and what is wrong with that.
    async fn all_left(&self, begin: Instant, idle: &Sample) -> Result<(Sample, Option<String>)> {
        let deadline = Instant::now() + LEAVE_TIMEOUT;
        let most = Course::idle_descriptors(idle);
        let mut last = self.samples.last().copied().unwrap_or_default();
        loop {
            sleep(LEAVE_POLL_INTERVAL).await;
            last = self.sample(begin, &last).await?;
            let Sample {
                sockets,
                descriptors,
                ..
            } = last;
            if sockets == 0.0 && descriptors <= most {
                return Ok((last, None));
            }
            if Instant::now() > deadline {
                let problem = format!(
                    "{sockets} sockets and {descriptors} descriptors are open though all have left; \
                     before they came it had {} descriptors",
                    idle.descriptors
                );
                return Ok((last, Some(problem)));
            }
        }
    }

    async fn sample(&self, begin: Instant, last: &Sample) -> Result<Sample> {
        let metrics = self.http.get(&self.metrics).timeout(METRICS_TIMEOUT);
        Sample::take(&self.node, metrics, begin.elapsed(), last).await
    }
}
