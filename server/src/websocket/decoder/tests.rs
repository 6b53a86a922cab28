use tungstenite::Message;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, WebSocketContext};

use super::*;

/// Encodes a client's frame with another implementation.
fn client_frame(opcode: OpCode, payload: &[u8], is_final: bool) -> Vec<u8> {
    let header = FrameHeader {
        is_final,
        opcode,
        mask: Some([7, 0, 255, 90]),
        ..FrameHeader::default()
    };
    let frame = Frame::from_payload(header, payload.to_vec().into());
    let mut bytes = Vec::new();
    frame.format(&mut bytes).unwrap();
    bytes
}

fn text(payload: &str) -> Vec<u8> {
    client_frame(OpCode::Data(Data::Text), payload.as_bytes(), true)
}

fn continuation(payload: &[u8], is_final: bool) -> Vec<u8> {
    client_frame(OpCode::Data(Data::Continue), payload, is_final)
}

fn control(kind: Control, payload: &[u8]) -> Vec<u8> {
    client_frame(OpCode::Control(kind), payload, true)
}

fn decode(bytes: &[u8]) -> Result<Vec<Incoming>, DecodeError> {
    let mut decoder = Decoder::new(4_096);
    let mut frames = Vec::new();
    // Byte by byte, so that every boundary between two reads is tried.
    for byte in bytes {
        decoder.feed(&[*byte]);
        while let Some(frame) = decoder.next_frame()? {
            frames.push(frame);
        }
    }
    assert_eq!(
        decoder.buffer.capacity(),
        0,
        "an idle socket keeps no buffer"
    );
    let mut at_once = Decoder::new(4_096);
    at_once.feed(bytes);
    let whole: Vec<_> = std::iter::from_fn(|| at_once.next_frame().unwrap()).collect();
    assert_eq!(whole, frames);
    Ok(frames)
}

#[test]
fn texts_are_decoded() {
    let long = "é".repeat(2_048);
    for payload in ["", "{}", &"x".repeat(125), &"x".repeat(126), &long] {
        assert_eq!(
            decode(&text(payload)).unwrap(),
            [Incoming::Text(payload.to_owned())]
        );
    }
}

#[test]
fn a_fragmented_text_is_joined_across_control_frames() {
    let emoji = "🙂".as_bytes();
    let bytes = [
        client_frame(OpCode::Data(Data::Text), &emoji[..1], false),
        control(Control::Ping, b"are you there?"),
        continuation(&[], false),
        continuation(&emoji[1..3], false),
        control(Control::Pong, b""),
        continuation(&emoji[3..], true),
        text("next"),
    ];
    let frames = decode(&bytes.concat()).unwrap();
    assert_eq!(
        frames,
        [
            Incoming::Fragment,
            Incoming::Ping(b"are you there?".to_vec()),
            Incoming::Fragment,
            Incoming::Fragment,
            Incoming::Pong,
            Incoming::Text("🙂".to_owned()),
            Incoming::Text("next".to_owned()),
        ]
    );
}

#[test]
fn a_frame_that_is_too_big_is_refused_before_its_payload_arrives() {
    for length in [4_097, 70_000] {
        let whole = text(&"x".repeat(length));
        let mut decoder = Decoder::new(4_096);
        decoder.feed(&whole[..14]);
        assert_eq!(decoder.next_frame(), Err(DecodeError::TooBig));
    }
    let parts = [
        client_frame(OpCode::Data(Data::Text), &[b'x'; 4_000], false),
        continuation(&[b'x'; 97], true),
    ];
    assert_eq!(decode(&parts.concat()), Err(DecodeError::TooBig));
}

#[test]
fn invalid_frames_are_refused() {
    let unmasked = {
        let mut bytes = Vec::new();
        Frame::message("hello", OpCode::Data(Data::Text), true)
            .format(&mut bytes)
            .unwrap();
        bytes
    };
    let reserved = {
        let mut bytes = text("hello");
        bytes[0] |= 0x40;
        bytes
    };
    let opcode = |code: u8| {
        let mut bytes = text("");
        bytes[0] = 0x80 | code;
        bytes
    };
    for bytes in [
        unmasked,
        reserved,
        opcode(3),
        opcode(11),
        continuation(b"without a start", true),
        [
            client_frame(OpCode::Data(Data::Text), b"a", false),
            text("b"),
        ]
        .concat(),
        control(Control::Ping, &[0; 126]),
        client_frame(OpCode::Control(Control::Ping), b"", false),
        control(Control::Close, &[3]),
        control(Control::Close, &1005_u16.to_be_bytes()),
    ] {
        assert_eq!(decode(&bytes), Err(DecodeError::Violation), "{bytes:?}");
    }
}

#[test]
fn what_is_not_utf_8_is_refused_with_the_first_wrong_fragment() {
    let euro = "€".as_bytes();
    let fragment = |payload: &[u8]| client_frame(OpCode::Data(Data::Text), payload, false);
    for bytes in [
        client_frame(OpCode::Data(Data::Text), &[0xff], true),
        client_frame(OpCode::Data(Data::Text), &euro[..2], true),
        fragment(&[0xff]),
        [fragment(&euro[..2]), continuation(b"x", false)].concat(),
        [fragment(&euro[..2]), continuation(&[], true)].concat(),
        control(
            Control::Close,
            &[&1000_u16.to_be_bytes()[..], &[0xff]].concat(),
        ),
    ] {
        assert_eq!(decode(&bytes), Err(DecodeError::NotUtf8), "{bytes:?}");
    }
}

#[test]
fn a_close_frame_is_decoded_with_its_code() {
    for (payload, code) in [
        (vec![], None),
        (1001_u16.to_be_bytes().to_vec(), Some(1001)),
    ] {
        assert_eq!(
            decode(&control(Control::Close, &payload)).unwrap(),
            [Incoming::Close(code)]
        );
    }
}

#[test]
fn another_implementation_decodes_the_encoded_frames() {
    use crate::websocket::{PING, close, pong, text};
    let long = "x".repeat(70_000);
    let bytes = [
        text("short"),
        text(&long),
        PING,
        pong(b"yes"),
        close(Some(1013), &"é".repeat(100)),
    ]
    .concat();
    let mut stream = Cursor::new(bytes);
    let mut client = WebSocketContext::new(tungstenite::protocol::Role::Client, None);
    let mut read = || client.read(&mut stream).unwrap();
    assert_eq!(read(), Message::text("short"));
    assert_eq!(read(), Message::text(long.clone()));
    assert_eq!(read(), Message::Ping(vec![].into()));
    assert_eq!(read(), Message::Pong(b"yes".to_vec().into()));
    let Message::Close(Some(CloseFrame { code, reason })) = read() else {
        panic!("a close frame");
    };
    assert_eq!(code, CloseCode::Again);
    assert_eq!(reason.as_str(), "é".repeat(61));
}
