//! The node's side: starts the child, and reads its reports.

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

use super::report::{HeaderInfo, Report};
use crate::config::{INSPECT_IMAGE, ImageLimits, PictureSpec, RESIZE_IMAGE};
use crate::image::error::ImageError;
use crate::image::format_name;
use crate::image::inspect::Inspected;
use crate::image::limits::{too_much_memory, too_much_time};

/// How long a child may take for one of its two steps, in addition to the limit of decoding, before it is killed.
const TIME_MARGIN: Duration = Duration::from_secs(5);

/// The most bytes that are read of the child's standard output: two short lines.
const MAX_REPORT_BYTES: u64 = 16 * 1024;

/// The most bytes that are read of the child's standard error.
const MAX_STDERR_BYTES: u64 = 1_000;

/// A running child. Dropping it kills the process; [`DecoderProcess::end`] also waits until it has ended.
#[derive(Debug)]
pub(in crate::image) struct DecoderProcess {
    child: Child,
    stdin: ChildStdin,
    reports: BufReader<Take<ChildStdout>>,
    stderr: Take<ChildStderr>,
    /// How long a step may take.
    time: Duration,
    media_type: Option<MediaType>,
}

/// What a child does.
#[derive(Debug, Clone, Copy)]
pub(in crate::image) struct Job<'a> {
    pub input: &'a Path,
    /// An empty file for the result.
    pub output: &'a Path,
    /// The smaller picture to make; `None` to check the image.
    pub spec: Option<PictureSpec>,
}

impl DecoderProcess {
    /// Starts `program`, which is this one.
    pub fn start(program: &Path, job: Job<'_>, limits: &ImageLimits) -> Result<Self, ImageError> {
        let started = Self::spawn(program, job, limits);
        started.map_err(|error| {
            tracing::error!(%error, "a process for an image could not be started");
            ImageError::Unavailable
        })
    }

    fn spawn(program: &Path, job: Job<'_>, limits: &ImageLimits) -> io::Result<Self> {
        let spec = job.spec.map(|spec| serde_json::to_string(&spec));
        let mut child = Command::new(program)
            .arg0("tonesa")
            .arg(job.spec.map_or(INSPECT_IMAGE, |_| RESIZE_IMAGE))
            .args([job.input, job.output])
            .arg(serde_json::to_string(limits)?)
            .args(spec.transpose()?)
            // The environment contains the node's secrets.
            .env_clear()
            // Ctrl-C on a terminal must not reach the child: the node finishes what it has begun.
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
            reports: BufReader::new(stdout.take(MAX_REPORT_BYTES)),
            stderr: stderr.take(MAX_STDERR_BYTES),
            time: limits.time.saturating_add(TIME_MARGIN),
            media_type: None,
        })
    }

    /// Returns what the image's headers say. The child then waits.
    pub async fn read_headers(&mut self) -> Result<HeaderInfo, ImageError> {
        match self.report().await? {
            Report::Headers(headers) => {
                self.media_type = Some(headers.media_type);
                Ok(headers)
            }
            Report::Refused(refusal) => Err(self.refused(refusal).await),
            Report::Inspected(_) | Report::Resized => Err(self.failed().await),
        }
    }

    /// Lets the child continue, with the memory that it asked for, and returns the result of checking the image.
    pub async fn read_inspected(&mut self) -> Result<Inspected, ImageError> {
        match self.read_result().await? {
            Report::Inspected(inspected) => Ok(inspected),
            _ => Err(self.failed().await),
        }
    }

    /// Lets the child continue in the same way, and returns when it has written the smaller picture.
    pub async fn read_resized(&mut self) -> Result<(), ImageError> {
        match self.read_result().await? {
            Report::Resized => Ok(()),
            _ => Err(self.failed().await),
        }
    }

    async fn read_result(&mut self) -> Result<Report, ImageError> {
        // If the child has died, reading its report fails too.
        drop(self.stdin.write_all(b"\n").await);
        match self.report().await? {
            Report::Refused(refusal) => Err(self.refused(refusal).await),
            report => Ok(report),
        }
    }

    /// Kills the child if it still runs, and waits until its memory is released.
    pub async fn end(mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::error!(%error, "a process for an image does not end");
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

    /// Logs why it failed, if the image is not the reason.
    async fn refused(&mut self, refusal: ImageError) -> ImageError {
        if refusal == ImageError::Unavailable {
            let stderr = self.stderr().await;
            tracing::warn!(stderr, "an image could not be processed");
        }
        refusal
    }

    /// Returns the error for a child that ended without a report.
    async fn failed(&mut self) -> ImageError {
        let stderr = self.stderr().await;
        let Ok(Ok(status)) = timeout(TIME_MARGIN, self.child.wait()).await else {
            return ImageError::Unavailable;
        };
        let refusal = error_of_exit(status, &stderr, self.media_type);
        if !matches!(refusal, ImageError::TooLarge(_)) {
            let format = self.media_type.map(format_name::of);
            tracing::warn!(%status, stderr, format, "the process for an image failed");
        }
        refusal
    }

    async fn stderr(&mut self) -> String {
        let mut stderr = Vec::new();
        // What has been read until then is enough.
        drop(timeout(TIME_MARGIN, self.stderr.read_to_end(&mut stderr)).await);
        String::from_utf8_lossy(&stderr).trim_end().to_owned()
    }
}

/// Maps the end of a child to an error. Causes other than the file, such as a signal from outside or a full disk, are
/// [`ImageError::Unavailable`].
fn error_of_exit(status: ExitStatus, stderr: &str, media_type: Option<MediaType>) -> ImageError {
    /// The exit code of a program that panicked.
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
    // The allocator aborts at the memory limit.
    if signal == Some(Signal::ABORT) && stderr.contains("memory allocation") {
        return too_much_memory();
    }
    let has_crashed = signal.is_some_and(|signal| crashes.contains(&signal));
    match media_type {
        Some(media_type) if has_crashed || status.code() == Some(PANICKED) => {
            ImageError::Damaged(media_type)
        }
        None if has_crashed || status.code() == Some(PANICKED) => ImageError::UnknownType,
        _ => ImageError::Unavailable,
    }
}
