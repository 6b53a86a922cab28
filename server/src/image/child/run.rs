//! The child's side: checks the image, and reports.

use std::fs::File;
use std::io::{self, Write};

use tracing::Level;

use super::report::{HeaderInfo, Report};
use super::rlimits::{self, MemoryLimit};
use crate::config::InspectImage;
use crate::image::error::ImageError;
use crate::image::inspect::{Inspected, Inspection};

/// Checks one image and reports on the standard output. Runs in a process of its own, which it limits permanently, and
/// starts no threads.
///
/// # Errors
/// When the limits cannot be set, or the node is gone.
pub fn run(job: InspectImage) -> io::Result<()> {
    rlimits::set(&job.input, job.limits.time)?;
    let memory = MemoryLimit::set()?;
    // The node reads the standard error, and logs it if the check failed.
    tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .with_writer(io::stderr)
        .with_ansi(false)
        .without_time()
        .init();
    let report = match inspect(job, memory)? {
        Ok(inspected) => Report::Inspected(inspected),
        Err(error) => Report::Refused(error),
    };
    send(&report)
}

fn inspect(job: InspectImage, memory: MemoryLimit) -> io::Result<Result<Inspected, ImageError>> {
    let inspection = match Inspection::begin(&job.input, job.limits) {
        Ok(inspection) => inspection,
        Err(error) => return Ok(Err(error)),
    };
    let needed = inspection.memory_needed();
    send(&Report::Headers(HeaderInfo {
        media_type: inspection.media_type,
        memory: needed,
    }))?;
    if io::stdin().read_line(&mut String::new())? == 0 {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    memory.allow(needed)?;
    let output = File::options().read(true).write(true).open(&job.output);
    Ok(inspection.finish(&mut output?))
}

fn send(report: &Report) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}
