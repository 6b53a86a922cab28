//! The client's side of a WebSocket: frames to a node are masked (with zeros), and those from it are not.

/// A frame from a node.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    Text(String),
    Ping,
    /// With its code, or 1005 without one.
    Close(u16),
}

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const MASKED: u8 = 0x80;
/// The length follows in so many bytes.
const TWO_BYTES: u8 = 0x7e;
const EIGHT_BYTES: u8 = 0x7f;
const NO_STATUS: u16 = 1005;

/// Encodes a command.
pub fn text(payload: &str) -> Vec<u8> {
    encode(TEXT, payload.as_bytes())
}

/// Encodes the answer to a ping.
pub fn pong() -> Vec<u8> {
    encode(PONG, &[])
}

/// Encodes the answer to a close frame.
pub fn close() -> Vec<u8> {
    encode(CLOSE, &[])
}

fn encode(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![opcode];
    match u8::try_from(payload.len()) {
        Ok(length) if length < TWO_BYTES => frame.push(MASKED | length),
        _ => {
            let length = u16::try_from(payload.len()).expect("commands are short");
            frame.push(MASKED | TWO_BYTES);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Decodes what a node has written.
#[derive(Default)]
pub struct Decoder(Vec<u8>);

impl Decoder {
    /// Adds bytes that were read.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// When a node does not write such frames.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, String> {
        let Some((start, length)) = header(&self.0) else {
            return Ok(None);
        };
        if self.0.len() < start + length {
            return Ok(None);
        }
        let frame: Vec<u8> = self.0.drain(..start + length).collect();
        let payload = &frame[start..];
        match frame[0] {
            TEXT => match String::from_utf8(payload.to_vec()) {
                Ok(text) => Ok(Some(Frame::Text(text))),
                Err(_) => Err("a text frame is not UTF-8".into()),
            },
            PING => Ok(Some(Frame::Ping)),
            CLOSE => {
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                Ok(Some(Frame::Close(code.unwrap_or(NO_STATUS))))
            }
            other => Err(format!("a node sent a frame that begins with {other:#x}")),
        }
    }
}

/// Where the payload begins, and its length.
fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    match bytes.get(1)? {
        &TWO_BYTES => {
            let length = bytes.get(2..4)?.first_chunk()?;
            Some((4, usize::from(u16::from_be_bytes(*length))))
        }
        &EIGHT_BYTES => {
            let length = bytes.get(2..10)?.first_chunk()?;
            Some((10, usize::try_from(u64::from_be_bytes(*length)).ok()?))
        }
        length => Some((2, usize::from(*length))),
    }
}
