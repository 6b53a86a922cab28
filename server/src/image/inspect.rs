//! Walks a picture, writes what of it may be served, and decodes that.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use app::model::MediaType;
use serde::{Deserialize, Serialize};

use super::decode;
use super::decode::timed::{Budget, Timed};
use super::error::{ImageError, unavailable};
use super::limits::MIB;
use super::outline::{Coding, Outline};
use super::plan::Plan;
use super::png::recompressed::recompress;
use super::source::Source;
use super::{format_name, gif, jpeg, png, sniff, webp};
use crate::config::ImageLimits;

/// A picture that was decoded whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspected {
    /// Its type.
    pub media_type: MediaType,
    /// Pixels across as shown.
    pub width: u32,
    /// Pixels down as shown.
    pub height: u32,
    /// Bytes written to `output`: what will be served.
    pub size: u64,
}

/// Proves that the file is a whole picture within the limits, and writes what may be served of it to `output`, which
/// must be open for reading too and loses what it holds. Blocking, heavy on the processor, and without a limit of memory:
/// a pool (`pool.rs`) does it in a process of its own.
///
/// # Errors
/// See [`ImageError`].
pub fn inspect(
    input: &Path,
    output: &mut File,
    limits: ImageLimits,
) -> Result<Inspected, ImageError> {
    Survey::of(input, limits)?.prove(output)
}

/// A picture that has been walked: its headers are within the limits, and it is not decoded yet.
#[derive(Debug)]
pub struct Survey {
    file: File,
    pub(super) media_type: MediaType,
    outline: Outline,
    limits: ImageLimits,
}

impl Survey {
    /// Walks the file. Blocking; takes memory of no more than a few buffers and a colour profile of up to 4 MiB.
    ///
    /// # Errors
    /// See [`ImageError`].
    pub fn of(input: &Path, limits: ImageLimits) -> Result<Self, ImageError> {
        let mut file = File::open(input).map_err(|error| unavailable(&error))?;
        let mut prefix = Vec::with_capacity(sniff::PREFIX);
        (&mut file)
            .take(sniff::PREFIX as u64)
            .read_to_end(&mut prefix)
            .map_err(|error| unavailable(&error))?;
        let media_type = sniff::sniff(&prefix).ok_or(ImageError::UnknownType)?;
        let outline = walk(&file, media_type, &limits)?;
        Ok(Self {
            file,
            media_type,
            outline,
            limits,
        })
    }

    /// Bytes of memory that [`Survey::prove`] needs at most, by the picture's headers. Up to [`PICTURE_MEMORY`].
    pub fn memory_needed(&self) -> u64 {
        self.outline.memory
    }

    /// Writes what may be served to `output`, and decodes it within the limit of time.
    ///
    /// # Errors
    /// See [`ImageError`].
    pub fn prove(mut self, output: &mut File) -> Result<Inspected, ImageError> {
        let budget = Budget::start(self.limits.time);
        let plan = std::mem::take(&mut self.outline.plan);
        let served = match (self.serve(&plan, output, budget), &mut self.outline.coding) {
            (Err(ImageError::Damaged(_)), Coding::Png { still }) => {
                let still = still.take();
                self.mend(plan, still, output, budget)?
            }
            (served, _) => served?,
        };
        let (width, height) = served.orientation.shown(served.width, served.height);
        Ok(Inspected {
            media_type: self.media_type,
            width,
            height,
            size: output.metadata().map_err(|e| unavailable(&e))?.len(),
        })
    }

    /// Writes what a plan says, and decodes that.
    fn serve(
        &mut self,
        plan: &Plan,
        output: &mut File,
        budget: Budget,
    ) -> Result<Outline, ImageError> {
        plan.carry_out(&mut self.file, output)
            .map_err(|error| unavailable(&error))?;
        self.decode(output, budget)
    }

    fn decode(&self, output: &File, budget: Budget) -> Result<Outline, ImageError> {
        let served = walk(output, self.media_type, &self.limits)?;
        let file = rewound(output)?;
        guarded(format_name::of(self.media_type), || {
            decode::decode(file, self.media_type, &served, budget)
        })?;
        Ok(served)
    }

    /// What is served of a PNG that is not sound, as long as its still picture is whole.
    fn mend(
        &mut self,
        plan: Plan,
        still: Option<Plan>,
        output: &mut File,
        budget: Budget,
    ) -> Result<Outline, ImageError> {
        let plan = match still {
            Some(still) => match self.serve(&still, output, budget) {
                Err(ImageError::Damaged(_)) => still,
                served => return served,
            },
            None => plan,
        };
        // Twice as much as came: quick compression takes somewhat more than good compression.
        let limit = plan.len() * 2 + MIB;
        let input = self.file.try_clone().map_err(|error| unavailable(&error))?;
        let input = BufReader::new(Timed::new(plan.reader(input), budget));
        let written = output
            .set_len(0)
            .and_then(|()| output.rewind())
            .and_then(|()| recompress(input, &*output, limit));
        if let Err(error) = written {
            budget.check()?;
            return Err(match error.kind() {
                ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData => {
                    ImageError::Damaged(format_name::PNG)
                }
                _ => unavailable(&error),
            });
        }
        self.decode(output, budget)
    }
}

fn walk(file: &File, media_type: MediaType, limits: &ImageLimits) -> Result<Outline, ImageError> {
    let format = format_name::of(media_type);
    let mut source = Source::new(rewound(file)?, format).map_err(|error| unavailable(&error))?;
    guarded(format, || {
        match media_type {
            MediaType::Png => png::walk(&mut source, limits),
            MediaType::Jpeg => jpeg::walk(&mut source, limits),
            MediaType::Gif => gif::walk(&mut source, limits),
            MediaType::WebP => webp::walk(&mut source, limits),
        }?
        .checked(format)
    })
}

/// Runs what reads a stranger's file. A panic in it says that the file is not as it should be, and ends nothing but
/// this call; that works because the server is built to unwind.
fn guarded<T>(
    format: &'static str,
    read: impl FnOnce() -> Result<T, ImageError>,
) -> Result<T, ImageError> {
    panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(ImageError::Damaged(format)))
}

/// The same open file, at its beginning.
fn rewound(file: &File) -> Result<File, ImageError> {
    let again = || -> io::Result<File> {
        let mut file = file.try_clone()?;
        file.rewind()?;
        Ok(file)
    };
    again().map_err(|error| unavailable(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_reading_a_file_is_a_damaged_file() {
        let result: Result<(), _> = guarded("PNG", || panic!("as decoders do"));
        assert_eq!(result, Err(ImageError::Damaged("PNG")));
    }
}
