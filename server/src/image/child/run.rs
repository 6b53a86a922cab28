//! The child's side: checks or resizes the image, and reports.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use app::model::MediaType;
use tracing::Level;

use super::report::{HeaderInfo, Report};
use super::rlimits::{self, MemoryLimit};
use crate::config::{ImageLimits, InspectImage, ResizeImage};
use crate::image::error::ImageError;
use crate::image::inspect::Inspection;
use crate::image::resize::Resizing;

/// Checks one image and reports on the standard output. Runs in a process of its own, which it limits permanently, and
/// starts no threads.
///
/// # Errors
/// When the limits cannot be set, or the node is gone.
pub fn inspect_in_child(job: InspectImage) -> io::Result<()> {
    let memory = limit(&job.input, &job.limits)?;
    answer(|| {
        let inspection = match Inspection::begin(&job.input, job.limits) {
            Ok(inspection) => inspection,
            Err(error) => return Ok(Err(error)),
        };
        announce(inspection.media_type, inspection.memory_needed(), memory)?;
        let checked = inspection.finish(&mut open(&job.output)?);
        Ok(checked.map(Report::Inspected))
    })
}

/// Makes a smaller picture of one image, in the same way.
///
/// # Errors
/// When the limits cannot be set, or the node is gone.
pub fn resize_in_child(job: ResizeImage) -> io::Result<()> {
    let memory = limit(&job.input, &job.limits)?;
    answer(|| {
        let resizing = match Resizing::begin(&job.input, job.limits, job.spec) {
            Ok(resizing) => resizing,
            Err(error) => return Ok(Err(error)),
        };
        announce(resizing.media_type(), resizing.memory_needed(), memory)?;
        let made = resizing.finish(&mut open(&job.output)?);
        Ok(made.map(|()| Report::Resized))
    })
}

/// Limits this process, and logs what the node reads if the job fails.
fn limit(input: &Path, limits: &ImageLimits) -> io::Result<MemoryLimit> {
    rlimits::set(input, limits.time)?;
    let memory = MemoryLimit::set()?;
    tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .with_writer(io::stderr)
        .with_ansi(false)
        .without_time()
        .init();
    Ok(memory)
}

/// Reports what the headers say, waits until the node has the memory, and raises the limit.
fn announce(media_type: MediaType, memory: u64, limit: MemoryLimit) -> io::Result<()> {
    send(&Report::Headers(HeaderInfo { media_type, memory }))?;
    if io::stdin().read_line(&mut String::new())? == 0 {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    limit.allow(memory)
}

fn open(output: &Path) -> io::Result<File> {
    File::options().read(true).write(true).open(output)
}

/// Reports the result of a job.
fn answer(job: impl FnOnce() -> io::Result<Result<Report, ImageError>>) -> io::Result<()> {
    send(&job()?.unwrap_or_else(Report::Refused))
}

fn send(report: &Report) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}
