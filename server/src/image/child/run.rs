//! The child's side.

use std::fs::File;
use std::io::{self, Write};

use tracing::Level;

use super::report::{Report, Surveyed};
use super::rlimits::{self, MemoryLimit};
use crate::config::InspectImage;
use crate::image::error::ImageError;
use crate::image::inspect::{Inspected, Survey};

/// Checks one picture and reports at the standard output. It runs in a process of its own, which it limits for good,
/// and starts no threads.
///
/// # Errors
/// When the system refuses the limits, or nobody listens any more.
pub fn run(job: InspectImage) -> io::Result<()> {
    rlimits::set(&job.input, job.limits.time)?;
    let memory = MemoryLimit::set()?;
    // The node reads the standard error, and logs it where the check failed.
    tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .with_writer(io::stderr)
        .with_ansi(false)
        .without_time()
        .init();
    let report = match inspect(job, memory)? {
        Ok(inspected) => Report::Inspected(inspected),
        Err(error) => Report::Refused(error.into()),
    };
    say(&report)
}

fn inspect(job: InspectImage, memory: MemoryLimit) -> io::Result<Result<Inspected, ImageError>> {
    let survey = match Survey::of(&job.input, job.limits) {
        Ok(survey) => survey,
        Err(error) => return Ok(Err(error)),
    };
    let needed = survey.memory_needed();
    say(&Report::Surveyed(Surveyed {
        media_type: survey.media_type,
        memory: needed,
    }))?;
    if io::stdin().read_line(&mut String::new())? == 0 {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    memory.allow(needed)?;
    let output = File::options().read(true).write(true).open(&job.output);
    Ok(survey.prove(&mut output?))
}

fn say(report: &Report) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}
