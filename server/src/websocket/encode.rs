//! Encodes frames from the server, which are not fragmented and not masked.

use bytes::Bytes;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// A ping without a payload.
pub const PING: Bytes = Bytes::from_static(&[0x89, 0]);

/// The maximum payload of a control frame in bytes (RFC 6455, 5.5).
const MAX_CONTROL_PAYLOAD: usize = 125;

/// Encodes a text frame.
pub fn text(payload: &str) -> Bytes {
    frame(OpCode::Data(Data::Text), payload.as_bytes())
}

/// Encodes the answer to a ping, with its payload.
pub fn pong(payload: &[u8]) -> Bytes {
    frame(OpCode::Control(Control::Pong), payload)
}

/// Encodes a close frame. The reason is sent only with a code, and is truncated if it is too long.
pub fn close(code: Option<u16>, reason: &str) -> Bytes {
    let reason = &reason[..reason.floor_char_boundary(MAX_CONTROL_PAYLOAD - 2)];
    let payload = code.map(|code| [&code.to_be_bytes(), reason.as_bytes()].concat());
    frame(
        OpCode::Control(Control::Close),
        &payload.unwrap_or_default(),
    )
}

fn frame(opcode: OpCode, payload: &[u8]) -> Bytes {
    let header = FrameHeader {
        opcode,
        ..FrameHeader::default()
    };
    let length = payload.len() as u64;
    let mut bytes = Vec::with_capacity(header.len(length) + payload.len());
    header
        .format(length, &mut bytes)
        .expect("writing to a vector cannot fail");
    bytes.extend_from_slice(payload);
    bytes.into()
}
