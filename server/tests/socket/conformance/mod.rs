//! Conformance to RFC 6455: most of the cases of the Autobahn test suite, with its numbers,
//! against the real program. Each case is sent by a plain TCP connection, in one write and byte by byte.
//!
//! Autobahn wants an echo. A refused command is one, since a refusal repeats the upload's id as it was sent.

mod client;
mod closing;
mod frames;
mod utf8;

use client::{Client, Received};

use crate::common::program::Program;

/// The first byte of a frame: whether it is the last of its message, and what it is.
const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Longer cases are not sent byte by byte.
const MAX_BYTES_ALONE: usize = 8 * 1024;

/// What a client sends, and what it must receive.
struct Case {
    /// Its number in the suite, and what it is about.
    name: String,
    frames: Vec<Vec<u8>>,
    answers: Vec<Received>,
    /// The code with which the node closes the socket. `None`: the socket stays open.
    closed: Option<u16>,
}

/// A case after which the socket is still open.
fn answered(name: &str, frames: Vec<Vec<u8>>, answers: &[Received]) -> Case {
    Case {
        name: name.to_owned(),
        frames,
        answers: answers.to_vec(),
        closed: None,
    }
}

/// A case in which the node closes the socket with this code, after these answers.
fn closed(name: &str, frames: Vec<Vec<u8>>, answers: &[Received], code: u16) -> Case {
    Case {
        closed: Some(code),
        ..answered(name, frames, answers)
    }
}

/// A client's frame, masked. `first` is its first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => bytes.push(0x80 | length),
        (_, Ok(length)) => {
            bytes.push(0x80 | 0x7e);
            bytes.extend(length.to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 0x7f);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(it, mask)| it ^ mask),
    );
    bytes
}

fn text(payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(FIN | TEXT, payload.as_ref())
}

fn ping(payload: &str) -> Vec<u8> {
    frame(FIN | PING, payload.as_bytes())
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// A text in these fragments.
fn fragments(parts: &[&[u8]]) -> Vec<Vec<u8>> {
    let last = parts.len() - 1;
    let frames = parts.iter().enumerate().map(|(n, part)| {
        let opcode = if n == 0 { TEXT } else { CONTINUATION };
        frame(if n == last { FIN | opcode } else { opcode }, part)
    });
    frames.collect()
}

/// A command that is answered by an echo of these bytes, if they are UTF-8.
fn command(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let (before, after) = (r#"{"type":"unwatch","data":{"uploadID":""#, r#""}}"#);
    [before.as_bytes(), bytes.as_ref(), after.as_bytes()].concat()
}

/// The same, padded to this many bytes, and what is echoed.
fn command_of(length: usize) -> (Vec<u8>, String) {
    let padding = "*".repeat(length - command("").len());
    (command(&padding), padding)
}

fn echo(text: &str) -> Received {
    Received::Echo(text.to_owned())
}

fn pong(payload: &str) -> Received {
    Received::Pong(payload.as_bytes().to_vec())
}

/// Runs each case in both ways, and fails with all that were answered otherwise.
fn check(cases: &[Case]) {
    let program = Program::start(&[]);
    let mut failures = Vec::new();
    for case in cases {
        let bytes = case.frames.concat();
        let mut pieces = vec![bytes.len()];
        if bytes.len() <= MAX_BYTES_ALONE {
            pieces.push(1);
        }
        for piece in pieces {
            let client = Client::connect(program.address, "");
            if let Err(difference) = client.run(&bytes, piece, &case.answers, case.closed) {
                failures.push(format!(
                    "{}, {piece} bytes at a time: {difference}",
                    case.name
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn texts_are_answered_up_to_the_limit() {
    check(&frames::texts());
}

#[test]
fn pings_are_answered_by_their_payload() {
    check(&frames::pings());
}

#[test]
fn reserved_bits_and_opcodes_are_violations() {
    check(&frames::reserved());
}

#[test]
fn a_text_may_be_fragmented() {
    check(&frames::fragmentation());
}

#[test]
fn a_text_is_utf_8() {
    check(&utf8::cases());
}

#[test]
fn the_closing_handshake_is_that_of_the_rfc() {
    check(&closing::cases());
}

#[test]
fn compression_is_never_agreed_on() {
    let program = Program::start(&[]);
    let offers = [
        "permessage-deflate",
        "permessage-deflate; client_no_context_takeover; client_max_window_bits=9, x-webkit-deflate-frame",
    ];
    for offer in offers {
        let header = format!("Sec-WebSocket-Extensions: {offer}\r\n");
        let client = Client::connect(program.address, &header);
        assert!(
            !client.handshake.to_lowercase().contains("extensions"),
            "{}",
            client.handshake
        );
        let compressed = frame(FIN | 0x40 | TEXT, b"\xaa\x56\x2a\x01\x00");
        client
            .run(&compressed, compressed.len(), &[], Some(1002))
            .unwrap();
    }
}
