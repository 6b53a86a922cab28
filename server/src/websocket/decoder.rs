//! Frames from a client.

use std::io::Cursor;

use thiserror::Error;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The longest payload of a control frame, in bytes (RFC 6455, 5.5).
const MAX_CONTROL: u64 = 125;

/// What a frame means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A whole text.
    Text(String),
    /// A binary frame, or a part of one. What it holds is not kept.
    Binary,
    /// A part of a text that more parts follow.
    Part,
    /// A ping with its payload.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The client closes, with this code if it says one.
    Close(Option<u16>),
}

/// Why a connection's bytes are no frames that can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A text is larger than allowed.
    #[error("a text is larger than allowed")]
    TooBig,
    /// The bytes break RFC 6455.
    #[error("the bytes break RFC 6455")]
    Broken,
}

/// Takes bytes as they come and gives frames. An idle one keeps nothing; otherwise it keeps at most one frame of the
/// largest size, one text of the largest size, and what was read last.
#[derive(Debug)]
pub struct Decoder {
    unread: Vec<u8>,
    /// The parts of a text that is not whole yet.
    text: Option<Vec<u8>>,
    max_text: usize,
}

impl Decoder {
    /// For texts of at most so many bytes.
    pub fn new(max_text: usize) -> Self {
        Self {
            unread: Vec::new(),
            text: None,
            max_text,
        }
    }

    /// Takes what was read.
    pub fn take(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next frame, or none when its bytes are not all there.
    ///
    /// # Errors
    /// See [`DecodeError`]; nothing can be read after one.
    pub fn next_frame(&mut self) -> Result<Option<Incoming>, DecodeError> {
        let mut cursor = Cursor::new(&self.unread);
        let header = FrameHeader::parse(&mut cursor).map_err(|_| DecodeError::Broken)?;
        let Some((header, length)) = header else {
            self.rest();
            return Ok(None);
        };
        self.check(&header, length)?;
        let start = usize::try_from(cursor.position()).map_err(|_| DecodeError::TooBig)?;
        let length = usize::try_from(length).map_err(|_| DecodeError::TooBig)?;
        if self.unread.len() - start < length {
            return Ok(None);
        }
        let mut payload: Vec<u8> = self.unread.drain(..start + length).skip(start).collect();
        let mask = header.mask.ok_or(DecodeError::Broken)?;
        for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        self.frame(header.opcode, header.is_final, payload)
            .map(Some)
    }

    /// Nothing of a frame is there: an idle socket keeps no buffer.
    fn rest(&mut self) {
        if self.unread.is_empty() {
            self.unread = Vec::new();
        }
    }

    /// Checks a header before its payload is waited for.
    fn check(&self, header: &FrameHeader, length: u64) -> Result<(), DecodeError> {
        let reserved = header.rsv1 || header.rsv2 || header.rsv3;
        let broken = reserved || header.mask.is_none();
        match header.opcode {
            _ if broken => Err(DecodeError::Broken),
            OpCode::Control(Control::Reserved(_)) | OpCode::Data(Data::Reserved(_)) => {
                Err(DecodeError::Broken)
            }
            OpCode::Control(_) if !header.is_final || length > MAX_CONTROL => {
                Err(DecodeError::Broken)
            }
            OpCode::Control(_) => Ok(()),
            OpCode::Data(Data::Continue) if self.text.is_none() => Err(DecodeError::Broken),
            OpCode::Data(Data::Text | Data::Binary) if self.text.is_some() => {
                Err(DecodeError::Broken)
            }
            OpCode::Data(_) => {
                let so_far = self.text.as_ref().map_or(0, Vec::len) as u64;
                let fits = so_far.saturating_add(length) <= self.max_text as u64;
                fits.then_some(()).ok_or(DecodeError::TooBig)
            }
        }
    }

    fn frame(
        &mut self,
        opcode: OpCode,
        is_final: bool,
        payload: Vec<u8>,
    ) -> Result<Incoming, DecodeError> {
        match opcode {
            OpCode::Data(Data::Binary) => Ok(Incoming::Binary),
            OpCode::Data(_) => {
                let mut text = self.text.take().unwrap_or_default();
                text.extend(payload);
                if is_final {
                    let text = String::from_utf8(text).map_err(|_| DecodeError::Broken)?;
                    return Ok(Incoming::Text(text));
                }
                self.text = Some(text);
                Ok(Incoming::Part)
            }
            OpCode::Control(Control::Ping) => Ok(Incoming::Ping(payload)),
            OpCode::Control(Control::Close) => close_code(&payload).map(Incoming::Close),
            OpCode::Control(_) => Ok(Incoming::Pong),
        }
    }
}

/// The code of a close frame. Only those that a client may send are taken (RFC 6455, 7.4), and a reason is a text.
fn close_code(payload: &[u8]) -> Result<Option<u16>, DecodeError> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return payload
            .is_empty()
            .then_some(None)
            .ok_or(DecodeError::Broken);
    };
    let code = u16::from_be_bytes(*code);
    let allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    let is_text = std::str::from_utf8(reason).is_ok();
    (allowed && is_text)
        .then_some(Some(code))
        .ok_or(DecodeError::Broken)
}

#[cfg(test)]
mod tests;
