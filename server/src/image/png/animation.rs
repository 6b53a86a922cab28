//! The animation in a PNG: which of its frames are sound.

use super::super::error::ImageError;
use super::super::plan::Plan;
use super::super::source::Source;
use super::chunk::{Chunk, written};

/// What is known of an animation while its chunks are walked.
#[derive(Debug)]
pub(super) struct Animation {
    promised: u32,
    plays: [u8; 4],
    /// What comes before the animation control.
    head: Plan,
    /// What comes behind it: chunks of sound frames, and others that show.
    pub body: Plan,
    /// The frame that is not complete yet, if its control was met.
    frame: Option<Frame>,
    /// Frames in the body.
    frames: u32,
    /// Number of the next control or data.
    sequence: u32,
    /// The still picture is the first frame.
    begins_with_still: bool,
    is_sound: bool,
}

#[derive(Debug, Default)]
struct Frame {
    chunks: Plan,
    has_data: bool,
}

impl Animation {
    pub fn new(promised: u32, plays: [u8; 4], head: Plan) -> Self {
        Self {
            promised,
            plays,
            head,
            body: Plan::default(),
            frame: None,
            frames: 0,
            sequence: 0,
            begins_with_still: false,
            is_sound: true,
        }
    }

    /// Whether a frame's control was met.
    pub fn has_begun(&self) -> bool {
        self.frame.is_some() || self.frames > 0
    }

    /// The still picture's data, which are the first frame's if its control came before.
    pub fn image_data(&mut self) {
        if let Some(frame) = self.frame.take() {
            self.begins_with_still = true;
            self.frames += 1;
            self.body.append(frame.chunks);
        }
    }

    /// A frame's control: its size, if it is sound and all before it is.
    pub fn frame_control(
        &mut self,
        source: &mut Source,
        chunk: &Chunk,
        whole: (u32, u32),
    ) -> Result<Option<(u32, u32)>, ImageError> {
        self.end_frame();
        if !self.is_sound {
            return Ok(None);
        }
        self.is_sound = false;
        if chunk.len != 26 || self.frames == self.promised {
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
        self.is_sound = true;
        self.sequence += 1;
        let mut frame = Frame::default();
        frame.chunks.copy(chunk.whole());
        self.frame = Some(frame);
        Ok(Some((width, height)))
    }

    /// Data of a frame that is not the still picture.
    pub fn frame_data(&mut self, source: &mut Source, chunk: &Chunk) -> Result<(), ImageError> {
        if !self.is_sound {
            return Ok(());
        }
        let is_next = chunk.len >= 4 && u32::from_be_bytes(source.array()?) == self.sequence;
        match &mut self.frame {
            Some(frame) if is_next => {
                self.sequence += 1;
                frame.has_data = true;
                frame.chunks.copy(chunk.whole());
            }
            _ => {
                self.is_sound = false;
                self.frame = None;
            }
        }
        Ok(())
    }

    fn end_frame(&mut self) {
        match self.frame.take() {
            Some(frame) if frame.has_data && self.is_sound => {
                self.frames += 1;
                self.body.append(frame.chunks);
            }
            Some(_) => self.is_sound = false,
            None => {}
        }
    }

    /// How many images there are to decode, and what is served: nothing but the still picture for an animation that is
    /// not sound and begins with it. None if browsers show nothing.
    pub fn finish(mut self) -> Option<(u32, Option<Plan>)> {
        self.end_frame();
        let is_sound = self.is_sound && self.frames == self.promised;
        if self.begins_with_still {
            if !is_sound {
                return Some((1, None));
            }
        } else if self.frames == 0 {
            return None;
        }
        let mut plan = self.head;
        let control = [self.frames.to_be_bytes(), self.plays].concat();
        plan.write(&written(*b"acTL", &control));
        plan.append(self.body);
        let images = self.frames + u32::from(!self.begins_with_still);
        Some((images, Some(plan)))
    }
}
