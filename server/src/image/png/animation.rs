//! The animation of a PNG: which of its frames are valid.

use super::super::error::ImageError;
use super::super::plan::Plan;
use super::super::source::Source;
use super::chunk::{Chunk, encode_chunk};

/// The state of an animation while its chunks are walked.
#[derive(Debug)]
pub(super) struct Animation {
    num_frames: u32,
    num_plays: [u8; 4],
    /// What comes before `acTL`.
    head: Plan,
    /// What comes after it: chunks of valid frames, and other displayed ones.
    pub body: Plan,
    /// The incomplete frame whose `fcTL` was found last.
    frame: Option<Frame>,
    /// The number of frames in the body.
    frames: u32,
    /// The sequence number of the next `fcTL` or `fdAT`.
    sequence: u32,
    /// Whether the still image is the first frame.
    begins_with_still: bool,
    is_valid: bool,
}

#[derive(Debug, Default)]
struct Frame {
    chunks: Plan,
    has_data: bool,
}

impl Animation {
    pub fn new(num_frames: u32, num_plays: [u8; 4], head: Plan) -> Self {
        Self {
            num_frames,
            num_plays,
            head,
            body: Plan::default(),
            frame: None,
            frames: 0,
            sequence: 0,
            begins_with_still: false,
            is_valid: true,
        }
    }

    /// Returns whether an `fcTL` was found.
    pub fn has_begun(&self) -> bool {
        self.frame.is_some() || self.frames > 0
    }

    /// Handles the still image's data, which are the first frame's if its `fcTL` came before.
    pub fn image_data(&mut self) {
        if let Some(frame) = self.frame.take() {
            self.begins_with_still = true;
            self.frames += 1;
            self.body.append(frame.chunks);
        }
    }

    /// Handles an `fcTL`. Returns the frame's size, if the chunk and everything before it are valid.
    pub fn frame_control(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        whole: (u32, u32),
    ) -> Result<Option<(u32, u32)>, ImageError> {
        self.end_frame();
        if !self.is_valid {
            return Ok(None);
        }
        self.is_valid = false;
        if chunk.len != 26 || self.frames == self.num_frames {
            return Ok(None);
        }
        let sequence = u32::from_be_bytes(source.array()?);
        let [width, height] = [source.array()?, source.array()?].map(u32::from_be_bytes);
        let [x, y] = [source.array()?, source.array()?].map(u32::from_be_bytes);
        let [_, _, _, _, dispose, blend] = source.array()?;
        let fits = |offset: u32, len: u32, whole| {
            len > 0 && offset.checked_add(len).is_some_and(|end| end <= whole)
        };
        let is_placed = fits(x, width, whole.0) && fits(y, height, whole.1);
        if sequence != self.sequence || !is_placed || dispose > 2 || blend > 1 {
            return Ok(None);
        }
        self.is_valid = true;
        self.sequence += 1;
        let mut frame = Frame::default();
        frame.chunks.copy(chunk.range());
        self.frame = Some(frame);
        Ok(Some((width, height)))
    }

    /// Handles data of a frame that is not the still image.
    pub fn frame_data(&mut self, source: &mut Source, chunk: &Chunk) -> Result<(), ImageError> {
        if !self.is_valid {
            return Ok(());
        }
        let is_next = chunk.len >= 4 && u32::from_be_bytes(source.array()?) == self.sequence;
        match &mut self.frame {
            Some(frame) if is_next => {
                self.sequence += 1;
                frame.has_data = true;
                frame.chunks.copy(chunk.range());
            }
            _ => {
                self.is_valid = false;
                self.frame = None;
            }
        }
        Ok(())
    }

    fn end_frame(&mut self) {
        match self.frame.take() {
            Some(frame) if frame.has_data && self.is_valid => {
                self.frames += 1;
                self.body.append(frame.chunks);
            }
            Some(_) => self.is_valid = false,
            None => {}
        }
    }

    /// Returns how many images are to be decoded, and the plan: `None` for serving the still image alone, if the
    /// animation is damaged and begins with it. Returns `None` if browsers show nothing.
    pub fn finish(mut self) -> Option<(u32, Option<Plan>)> {
        self.end_frame();
        let is_valid = self.is_valid && self.frames == self.num_frames;
        if self.begins_with_still {
            if !is_valid {
                return Some((1, None));
            }
        } else if self.frames == 0 {
            return None;
        }
        let mut plan = self.head;
        let data = [self.frames.to_be_bytes(), self.num_plays].concat();
        plan.write(&encode_chunk(*b"acTL", &data));
        plan.append(self.body);
        let images = self.frames + u32::from(!self.begins_with_still);
        Some((images, Some(plan)))
    }
}
