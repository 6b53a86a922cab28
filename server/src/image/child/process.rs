//! The node's side.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use app::model::MediaType;
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Take};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::report::{Report, Surveyed};
use crate::config::{INSPECT_IMAGE, ImageLimits};
use crate::image::error::ImageError;
use crate::image::format_name;
use crate::image::inspect::Inspected;
use crate::image::limits::{too_much_memory, too_much_time};

/// How long a child may take for one of its two steps beyond what decoding may take, before it is killed.
const MARGIN: Duration = Duration::from_secs(5);

/// Bytes that a child may write to its standard output: two short lines.
const MOST_REPORTED: u64 = 16 * 1024;

/// Bytes of a child's standard error that are read.
const MOST_SAID: u64 = 1_000;

/// A running child. It is killed when dropped; [`DecoderProcess::end`] also waits until it is gone.
#[derive(Debug)]
pub(in crate::image) struct DecoderProcess {
    child: Child,
    stdin: ChildStdin,
    reports: BufReader<Take<ChildStdout>>,
    said: Take<ChildStderr>,
    /// How long a step may take.
    time: Duration,
    media_type: Option<MediaType>,
}

impl DecoderProcess {
    /// Starts `program`, which is this one.
    pub fn start(
        program: &Path,
        input: &Path,
        output: &Path,
        limits: &ImageLimits,
    ) -> Result<Self, ImageError> {
        let started = Self::spawn(program, input, output, limits);
        started.map_err(|error| {
            tracing::error!(%error, "no process for checking an image");
            ImageError::Unavailable
        })
    }

    fn spawn(
        program: &Path,
        input: &Path,
        output: &Path,
        limits: &ImageLimits,
    ) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg0("tonesa")
            .arg(INSPECT_IMAGE)
            .args([input, output])
            .arg(serde_json::to_string(limits)?)
            // It holds the node's secrets.
            .env_clear()
            // Ctrl-C on a terminal is for the node, which finishes what it has begun.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Self {
            child,
            stdin,
            reports: BufReader::new(stdout.take(MOST_REPORTED)),
            said: stderr.take(MOST_SAID),
            time: limits.time.saturating_add(MARGIN),
            media_type: None,
        })
    }

    /// What the picture's headers say. It waits then.
    pub async fn survey(&mut self) -> Result<Surveyed, ImageError> {
        match self.report().await? {
            Report::Surveyed(surveyed) => {
                self.media_type = Some(surveyed.media_type);
                Ok(surveyed)
            }
            Report::Refused(refusal) => Err(self.refused(refusal.into()).await),
            Report::Inspected(_) => Err(self.failed().await),
        }
    }

    /// Lets it go on, with the memory that it asked for, to the end.
    pub async fn prove(&mut self) -> Result<Inspected, ImageError> {
        // One that is dead already has nothing to report either.
        drop(self.stdin.write_all(b"\n").await);
        match self.report().await? {
            Report::Inspected(inspected) => Ok(inspected),
            Report::Refused(refusal) => Err(self.refused(refusal.into()).await),
            Report::Surveyed(_) => Err(self.failed().await),
        }
    }

    /// Kills it if it still runs, and waits until its memory is free.
    pub async fn end(mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::error!(%error, "a process for checking an image does not end");
        }
    }

    async fn report(&mut self) -> Result<Report, ImageError> {
        let mut line = String::new();
        match timeout(self.time, self.reports.read_line(&mut line)).await {
            Ok(_) => match serde_json::from_str(&line) {
                Ok(report) => Ok(report),
                Err(_) => Err(self.failed().await),
            },
            Err(_) => Err(too_much_time()),
        }
    }

    /// The child has logged why it could not do it.
    async fn refused(&mut self, refusal: ImageError) -> ImageError {
        if refusal == ImageError::Unavailable {
            let said = self.said().await;
            tracing::warn!(said, "an image could not be checked");
        }
        refusal
    }

    /// What it means that the child ended without a report.
    async fn failed(&mut self) -> ImageError {
        let said = self.said().await;
        let Ok(Ok(status)) = timeout(MARGIN, self.child.wait()).await else {
            return ImageError::Unavailable;
        };
        let refusal = meaning(status, &said, self.media_type);
        if !matches!(refusal, ImageError::TooLarge(_)) {
            let format = self.media_type.map(format_name::of);
            tracing::warn!(%status, said, format, "the process for checking an image failed");
        }
        refusal
    }

    async fn said(&mut self) -> String {
        let mut said = Vec::new();
        // What has come until then is enough.
        drop(timeout(MARGIN, self.said.read_to_end(&mut said)).await);
        String::from_utf8_lossy(&said).trim_end().to_owned()
    }
}

/// What is to be said of a picture whose check ended like this. What does not come from the file, as a signal from
/// outside or no disk space, is [`ImageError::Unavailable`].
fn meaning(status: ExitStatus, said: &str, media_type: Option<MediaType>) -> ImageError {
    /// How a panic ends a program.
    const PANICKED: i32 = 101;
    let crashes = [
        Signal::ABORT,
        Signal::BUS,
        Signal::FPE,
        Signal::ILL,
        Signal::SEGV,
        Signal::TRAP,
    ];
    let signal = status.signal().and_then(Signal::from_named_raw);
    if signal == Some(Signal::XCPU) {
        return too_much_time();
    }
    // The allocator aborts at the limit of memory.
    if signal == Some(Signal::ABORT) && said.contains("memory allocation") {
        return too_much_memory();
    }
    let has_crashed = signal.is_some_and(|signal| crashes.contains(&signal));
    match media_type {
        Some(media_type) if has_crashed || status.code() == Some(PANICKED) => {
            ImageError::Damaged(format_name::of(media_type))
        }
        None if has_crashed || status.code() == Some(PANICKED) => ImageError::UnknownType,
        _ => ImageError::Unavailable,
    }
}
