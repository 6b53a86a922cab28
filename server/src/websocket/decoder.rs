//! Decodes frames from a client.

use std::io::Cursor;

use thiserror::Error;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The maximum payload of a control frame in bytes (RFC 6455, 5.5).
const MAX_CONTROL_PAYLOAD: u64 = 125;

/// A decoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A complete text.
    Text(String),
    /// A binary frame or a fragment of one; its payload is dropped.
    Binary,
    /// A fragment of a text that is not complete yet.
    Fragment,
    /// A ping with its payload.
    Ping(Vec<u8>),
    /// A pong, whose payload is ignored.
    Pong,
    /// A close frame, with its code if it has one.
    Close(Option<u16>),
}

/// Why bytes cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A text is larger than allowed.
    #[error("a text is larger than allowed")]
    TooBig,
    /// The bytes violate RFC 6455.
    #[error("the bytes violate RFC 6455")]
    Violation,
    /// A text, or the reason of a close frame, is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
}

/// Decodes bytes into frames. It buffers at most one frame and one text of the maximum size and the bytes read last,
/// and nothing while it is idle.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// The fragments of an incomplete text.
    text: Option<Vec<u8>>,
    max_text: usize,
}

impl Decoder {
    /// Creates a decoder for texts of at most `max_text` bytes.
    pub fn new(max_text: usize) -> Self {
        Self {
            buffer: Vec::new(),
            text: None,
            max_text,
        }
    }

    /// Adds bytes that were read.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next frame; `None` if more bytes are needed.
    ///
    /// # Errors
    /// See [`DecodeError`]; nothing can be decoded after one.
    pub fn next_frame(&mut self) -> Result<Option<Incoming>, DecodeError> {
        let mut cursor = Cursor::new(&self.buffer);
        let header = FrameHeader::parse(&mut cursor).map_err(|_| DecodeError::Violation)?;
        let Some((header, length)) = header else {
            self.free_buffer();
            return Ok(None);
        };
        self.check(&header, length)?;
        let start = usize::try_from(cursor.position()).map_err(|_| DecodeError::TooBig)?;
        let length = usize::try_from(length).map_err(|_| DecodeError::TooBig)?;
        if self.buffer.len() - start < length {
            return Ok(None);
        }
        let mut payload: Vec<u8> = self.buffer.drain(..start + length).skip(start).collect();
        let mask = header.mask.ok_or(DecodeError::Violation)?;
        for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
        self.frame(header.opcode, header.is_final, payload)
            .map(Some)
    }

    /// Frees an empty buffer, so that an idle socket keeps none.
    fn free_buffer(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = Vec::new();
        }
    }

    /// Checks a header before its payload has arrived.
    fn check(&self, header: &FrameHeader, length: u64) -> Result<(), DecodeError> {
        let reserved = header.rsv1 || header.rsv2 || header.rsv3;
        let broken = reserved || header.mask.is_none();
        match header.opcode {
            _ if broken => Err(DecodeError::Violation),
            OpCode::Control(Control::Reserved(_)) | OpCode::Data(Data::Reserved(_)) => {
                Err(DecodeError::Violation)
            }
            OpCode::Control(_) if !header.is_final || length > MAX_CONTROL_PAYLOAD => {
                Err(DecodeError::Violation)
            }
            OpCode::Control(_) => Ok(()),
            OpCode::Data(Data::Continue) if self.text.is_none() => Err(DecodeError::Violation),
            OpCode::Data(Data::Text | Data::Binary) if self.text.is_some() => {
                Err(DecodeError::Violation)
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
                    let text = String::from_utf8(text).map_err(|_| DecodeError::NotUtf8)?;
                    return Ok(Incoming::Text(text));
                }
                if !may_become_utf8(&text) {
                    return Err(DecodeError::NotUtf8);
                }
                self.text = Some(text);
                Ok(Incoming::Fragment)
            }
            OpCode::Control(Control::Ping) => Ok(Incoming::Ping(payload)),
            OpCode::Control(Control::Close) => close_code(&payload).map(Incoming::Close),
            OpCode::Control(_) => Ok(Incoming::Pong),
        }
    }
}

/// Whether these are the first bytes of a text in UTF-8, so that a text is refused with its first wrong fragment.
fn may_become_utf8(bytes: &[u8]) -> bool {
    // An error without a length is a character that the next fragment may complete.
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Parses the code of a close frame, which must be one that a client may send (RFC 6455, 7.4). The reason must be
/// UTF-8.
fn close_code(payload: &[u8]) -> Result<Option<u16>, DecodeError> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return payload
            .is_empty()
            .then_some(None)
            .ok_or(DecodeError::Violation);
    };
    let code = u16::from_be_bytes(*code);
    let allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    if !allowed {
        return Err(DecodeError::Violation);
    }
    std::str::from_utf8(reason).map_err(|_| DecodeError::NotUtf8)?;
    Ok(Some(code))
}

#[cfg(test)]
mod tests;
