use tungstenite::Message;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, WebSocketContext};

use super::*;

/// The bytes of a frame from a client, by another implementation.
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

fn part(payload: &[u8], is_final: bool) -> Vec<u8> {
    client_frame(OpCode::Data(Data::Continue), payload, is_final)
}

fn control(kind: Control, payload: &[u8]) -> Vec<u8> {
    client_frame(OpCode::Control(kind), payload, true)
}

fn decode(bytes: &[u8]) -> Result<Vec<Incoming>, DecodeError> {
    let mut decoder = Decoder::new(4_096);
    let mut frames = Vec::new();
    // Byte by byte: no border between two reads matters.
    for byte in bytes {
        decoder.take(&[*byte]);
        while let Some(frame) = decoder.next_frame()? {
            frames.push(frame);
        }
    }
    assert_eq!(
        decoder.unread.capacity(),
        0,
        "an idle socket keeps no buffer"
    );
    let mut at_once = Decoder::new(4_096);
    at_once.take(bytes);
    let whole: Vec<_> = std::iter::from_fn(|| at_once.next_frame().unwrap()).collect();
    assert_eq!(whole, frames);
    Ok(frames)
}

#[test]
fn texts_come_out_as_they_were() {
    let long = "é".repeat(2_048);
    for payload in ["", "{}", &"x".repeat(125), &"x".repeat(126), &long] {
        assert_eq!(
            decode(&text(payload)).unwrap(),
            [Incoming::Text(payload.to_owned())]
        );
    }
}

#[test]
fn a_text_in_parts_is_one_with_control_frames_in_between() {
    let emoji = "🙂".as_bytes();
    let bytes = [
        client_frame(OpCode::Data(Data::Text), &emoji[..1], false),
        control(Control::Ping, b"are you there?"),
        part(&[], false),
        part(&emoji[1..3], false),
        control(Control::Pong, b""),
        part(&emoji[3..], true),
        text("next"),
    ];
    let frames = decode(&bytes.concat()).unwrap();
    assert_eq!(
        frames,
        [
            Incoming::Part,
            Incoming::Ping(b"are you there?".to_vec()),
            Incoming::Part,
            Incoming::Part,
            Incoming::Pong,
            Incoming::Text("🙂".to_owned()),
            Incoming::Text("next".to_owned()),
        ]
    );
}

#[test]
fn what_is_too_big_is_told_before_its_payload_is_there() {
    for length in [4_097, 70_000] {
        let whole = text(&"x".repeat(length));
        let mut decoder = Decoder::new(4_096);
        decoder.take(&whole[..14]);
        assert_eq!(decoder.next_frame(), Err(DecodeError::TooBig));
    }
    let parts = [
        client_frame(OpCode::Data(Data::Text), &[b'x'; 4_000], false),
        part(&[b'x'; 97], true),
    ];
    assert_eq!(decode(&parts.concat()), Err(DecodeError::TooBig));
}

#[test]
fn what_breaks_the_rules_is_refused() {
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
        client_frame(OpCode::Data(Data::Text), &[0xff], true),
        part(b"of nothing", true),
        [
            client_frame(OpCode::Data(Data::Text), b"a", false),
            text("b"),
        ]
        .concat(),
        control(Control::Ping, &[0; 126]),
        client_frame(OpCode::Control(Control::Ping), b"", false),
        control(Control::Close, &[3]),
        control(Control::Close, &1005_u16.to_be_bytes()),
        control(
            Control::Close,
            &[&1000_u16.to_be_bytes()[..], &[0xff]].concat(),
        ),
    ] {
        assert_eq!(decode(&bytes), Err(DecodeError::Broken), "{bytes:?}");
    }
}

#[test]
fn a_close_is_read_with_its_code() {
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
fn another_implementation_reads_what_is_encoded() {
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
