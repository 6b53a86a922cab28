//! Conformance to RFC 6455: the cases of the Autobahn test suite, with its numbers, against the real program, by a
//! plain TCP connection. All of the suite's families with cases are here but 12 and 13, `permessage-deflate`, of which
//! it is only checked that it is never agreed on. `docs/protocol.md` lists what is answered otherwise than the suite
//! wants.
//!
//! The suite has some cases three times: in one write, with a write for each frame, and byte by byte. Here short ones
//! are all sent in these ways; longer ones in one write and, where they have several frames, with a write for each, or
//! in pieces of the suite's size.
//!
//! Autobahn wants an echo. A refused command is one, since a refusal repeats the upload's id as it was sent.

mod client;
mod closing;
mod frames;
mod sizes;
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
    parts: Vec<Part>,
    /// The code with which the node closes the socket. `None`: the socket stays open.
    closed: Option<u16>,
    /// The size of the pieces in which the suite sends it, if it is too long to be sent byte by byte.
    chop: Option<usize>,
}

/// What is sent without a wait. The next part is sent when the answers are there and nothing else has come for a while.
struct Part {
    frames: Vec<Vec<u8>>,
    answers: Vec<Received>,
}

/// How the bytes of a part are written.
#[derive(Debug, Clone, Copy)]
enum Writes {
    One,
    EachFrame,
    Pieces(usize),
}

/// A case after which the socket is still open.
fn answered(name: &str, frames: Vec<Vec<u8>>, answers: &[Received]) -> Case {
    in_parts(name, vec![part(frames, answers)], None)
}

/// A case in which the node closes the socket with this code, after these answers.
fn closed(name: &str, frames: Vec<Vec<u8>>, answers: &[Received], code: u16) -> Case {
    in_parts(name, vec![part(frames, answers)], Some(code))
}

/// A case with waits between its parts, and the code with which the node closes the socket after the last one.
fn in_parts(name: &str, parts: Vec<Part>, closed: Option<u16>) -> Case {
    Case {
        name: name.to_owned(),
        parts,
        closed,
        chop: None,
    }
}

fn part(frames: Vec<Vec<u8>>, answers: &[Received]) -> Part {
    Part {
        frames,
        answers: answers.to_vec(),
    }
}

impl Case {
    /// The ways in which it is sent.
    fn ways(&self) -> Vec<Writes> {
        let has_frames = self.parts.iter().any(|part| part.frames.len() > 1);
        let length: usize = self
            .parts
            .iter()
            .flat_map(|it| &it.frames)
            .map(Vec::len)
            .sum();
        let piece = self.chop.or((length <= MAX_BYTES_ALONE).then_some(1));
        let frames = has_frames.then_some(Writes::EachFrame);
        let others = frames.into_iter().chain(piece.map(Writes::Pieces));
        [Writes::One].into_iter().chain(others).collect()
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

/// What a command has before the bytes that are echoed, and behind them.
const BEFORE: &str = r#"{"type":"unwatch","data":{"uploadID":""#;
const BEHIND: &str = r#""}}"#;

/// A command that is answered by an echo of these bytes, if they are UTF-8.
fn command(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    [BEFORE.as_bytes(), bytes.as_ref(), BEHIND.as_bytes()].concat()
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

/// Runs each case in all ways, and fails with all that were answered otherwise.
fn check(cases: &[Case]) {
    let program = Program::start(&[]);
    let mut failures = Vec::new();
    for case in cases {
        for writes in case.ways() {
            let client = Client::connect(program.address, "");
            if let Err(difference) = client.run(case, writes) {
                failures.push(format!("{}, {writes:?}: {difference}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn texts_are_answered_up_to_the_limit() {
    check(&sizes::texts());
}

#[test]
fn binary_frames_are_refused() {
    check(&sizes::binary());
}

#[test]
fn what_is_long_is_refused_however_it_is_cut() {
    check(&sizes::cut());
}

// The suite waits for each echo, and a slow program would stay below the rate; so would one that took over four seconds
// for all of these.
#[test]
fn a_thousand_texts_at_once_are_too_many() {
    let program = Program::start(&[]);
    for (number, length) in [
        ("9.7.3", 64),
        ("9.7.4", 256),
        ("9.7.5", 1024),
        ("9.7.6", 4096),
    ] {
        let (command, padding) = command_of(length);
        let client = Client::connect(program.address, "");
        let (answers, code) = client.flood(text(command).repeat(1000)).unwrap();
        assert_eq!(code, Some(1008), "{number}");
        assert!(
            (200..1000).contains(&answers.len()),
            "{number}: {} answers",
            answers.len()
        );
        assert!(answers.iter().all(|it| *it == echo(&padding)), "{number}");
    }
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
        let case = closed(offer, vec![compressed], &[], 1002);
        client.run(&case, Writes::One).unwrap();
    }
}
