//! Checks an image: walks its container, writes the file to be served, and decodes that.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use app::model::MediaType;
use serde::{Deserialize, Serialize};

use super::container_info::{Coding, ContainerInfo};
use super::decode;
use super::decode::timed::{TimeBudget, Timed};
use super::error::{ImageError, unavailable};
use super::limits::MIB;
use super::plan::Plan;
use super::png::recompress::recompress;
use super::source::Source;
use super::{gif, jpeg, png, sniff, webp};
use crate::config::ImageLimits;

/// An image that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspected {
    /// Its type.
    pub media_type: MediaType,
    /// Its width as displayed, in pixels.
    pub width: u32,
    /// Its height as displayed, in pixels.
    pub height: u32,
    /// The length of the file to be served, in bytes.
    pub size: u64,
}

/// Checks that the file is a complete image within the limits, and writes the file to be served to `output`, which must
/// be open for reading too and is overwritten. Blocks, uses much processor time, and has no memory limit: a pool
/// (`pool.rs`) does it in a process of its own.
///
/// # Errors
/// See [`ImageError`].
pub fn inspect(
    input: &Path,
    output: &mut File,
    limits: ImageLimits,
) -> Result<Inspected, ImageError> {
    Inspection::begin(input, limits)?.finish(output)
}

/// An image whose container was walked: its headers are within the limits, and it is not decoded yet.
#[derive(Debug)]
pub struct Inspection {
    pub(super) file: File,
    pub(super) media_type: MediaType,
    pub(super) container: ContainerInfo,
    pub(super) limits: ImageLimits,
}

impl Inspection {
    /// Walks the file. Blocks; needs the memory of a few buffers and a colour profile of up to 4 MiB.
    ///
    /// # Errors
    /// See [`ImageError`].
    pub fn begin(input: &Path, limits: ImageLimits) -> Result<Self, ImageError> {
        let mut file = File::open(input).map_err(|error| unavailable(&error))?;
        let mut prefix = Vec::with_capacity(sniff::PREFIX);
        (&mut file)
            .take(sniff::PREFIX as u64)
            .read_to_end(&mut prefix)
            .map_err(|error| unavailable(&error))?;
        let media_type = sniff::sniff(&prefix).ok_or(ImageError::UnknownType)?;
        let container = walk(&file, media_type, &limits)?;
        Ok(Self {
            file,
            media_type,
            container,
            limits,
        })
    }

    /// Returns the most memory that [`Inspection::finish`] needs by the image's headers, in bytes. At most
    /// [`IMAGE_MEMORY`](super::IMAGE_MEMORY).
    pub fn memory_needed(&self) -> u64 {
        self.container.memory
    }

    /// Writes the file to be served to `output`, and decodes it within the time limit.
    ///
    /// # Errors
    /// See [`ImageError`].
    pub fn finish(mut self, output: &mut File) -> Result<Inspected, ImageError> {
        let budget = TimeBudget::start(self.limits.time);
        let plan = std::mem::take(&mut self.container.plan);
        let served = match (
            self.write_and_decode(&plan, output, budget),
            &mut self.container.coding,
        ) {
            (Err(ImageError::Damaged(_)), Coding::Png { still }) => {
                let still = still.take();
                self.repair(plan, still, output, budget)?
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

    /// Writes the file that the plan describes, and decodes it.
    fn write_and_decode(
        &mut self,
        plan: &Plan,
        output: &mut File,
        budget: TimeBudget,
    ) -> Result<ContainerInfo, ImageError> {
        plan.execute(&mut self.file, output)
            .map_err(|error| unavailable(&error))?;
        self.decode(output, budget)
    }

    fn decode(&self, output: &File, budget: TimeBudget) -> Result<ContainerInfo, ImageError> {
        let served = walk(output, self.media_type, &self.limits)?;
        let file = duplicate(output)?;
        catch_panics(self.media_type, || {
            decode::decode(file, self.media_type, &served, budget)
        })?;
        Ok(served)
    }

    /// Repairs a PNG that is damaged, if its still image is complete: serves that alone, or compresses its image data
    /// again.
    fn repair(
        &mut self,
        plan: Plan,
        still: Option<Plan>,
        output: &mut File,
        budget: TimeBudget,
    ) -> Result<ContainerInfo, ImageError> {
        let plan = match still {
            Some(still) => match self.write_and_decode(&still, output, budget) {
                Err(ImageError::Damaged(_)) => still,
                served => return served,
            },
            None => plan,
        };
        // Twice the original: fast compression gives somewhat more than good compression.
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
                    ImageError::Damaged(MediaType::Png)
                }
                _ => unavailable(&error),
            });
        }
        self.decode(output, budget)
    }
}

fn walk(
    file: &File,
    media_type: MediaType,
    limits: &ImageLimits,
) -> Result<ContainerInfo, ImageError> {
    let mut source =
        Source::new(duplicate(file)?, media_type).map_err(|error| unavailable(&error))?;
    catch_panics(media_type, || {
        match media_type {
            MediaType::Png => png::walk(&mut source, limits),
            MediaType::Jpeg => jpeg::walk(&mut source, limits),
            MediaType::Gif => gif::walk(&mut source, limits),
            MediaType::WebP => webp::walk(&mut source, limits),
        }?
        .checked(media_type)
    })
}

/// Runs code that reads an untrusted file. A panic means that the file is invalid, and ends this call only; this needs
/// the server to be built with unwinding.
pub(super) fn catch_panics<T>(
    media_type: MediaType,
    read: impl FnOnce() -> Result<T, ImageError>,
) -> Result<T, ImageError> {
    panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(ImageError::Damaged(media_type)))
}

/// Duplicates the open file, and seeks to its beginning.
fn duplicate(file: &File) -> Result<File, ImageError> {
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
    fn a_panic_while_reading_a_file_means_that_it_is_damaged() {
        let result: Result<(), _> = catch_panics(MediaType::Png, || panic!("as decoders do"));
        assert_eq!(result, Err(ImageError::Damaged(MediaType::Png)));
    }
}
