//! The cases of single frames and of fragments.

use super::client::Received;
use super::{
    BINARY, CLOSE, CONTINUATION, Case, FIN, PING, PONG, TEXT, answered, closed, command,
    command_of, echo, fragments, frame, ping, pong, text,
};

const MIB: usize = 1024 * 1024;

/// 1, 9 and 10: texts of all sizes, and binary frames, which this protocol does not have. Autobahn sends up to 16 MiB;
/// a command has at most 4 KiB.
pub fn texts() -> Vec<Case> {
    let mut cases = vec![closed("1.1.1 no text", vec![text("")], &[], 1008)];
    for (number, length) in [
        ("1.1.2", 125),
        ("1.1.3", 126),
        ("1.1.4", 127),
        ("1.1.5", 128),
        ("limit", 4096),
    ] {
        let (command, padding) = command_of(length);
        let name = format!("{number} a text of {length} bytes");
        cases.push(answered(&name, vec![text(&command)], &[echo(&padding)]));
        let halves = command.split_at(length / 2);
        let halves = fragments(&[halves.0, halves.1]);
        cases.push(answered(
            &format!("{name} in two fragments"),
            halves,
            &[echo(&padding)],
        ));
    }
    for (number, length) in [
        ("limit", 4_097),
        ("1.1.6", 65_535),
        ("1.1.7", 65_536),
        ("9.1.1", 65_536),
        ("9.1.6", 16 * MIB),
    ] {
        let name = format!("{number} a text of {length} bytes");
        cases.push(closed(&name, vec![text(command_of(length).0)], &[], 1009));
    }
    for (number, fragment) in [("9.3.1", 64), ("10.1.1", 1_300), ("9.3.4", 4_096)] {
        let (command, _) = command_of(65_536);
        let parts: Vec<&[u8]> = command.chunks(fragment).collect();
        let name = format!("{number} 64 KiB in fragments of {fragment} bytes");
        cases.push(closed(&name, fragments(&parts), &[], 1009));
    }
    for (number, length) in [("1.2.1", 0), ("1.2.2", 125), ("1.2.5", 128)] {
        let name = format!("{number} a binary frame of {length} bytes");
        cases.push(closed(
            &name,
            vec![frame(FIN | BINARY, &vec![0xfe; length])],
            &[],
            1008,
        ));
    }
    cases
}

/// 2: pings and pongs.
pub fn pings() -> Vec<Case> {
    let long = "\u{7f}".repeat(125);
    let binary = [0, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0, 0xff];
    let ten: Vec<String> = (0..10).map(|n| format!("payload-{n}")).collect();
    vec![
        answered("2.1 a ping without a payload", vec![ping("")], &[pong("")]),
        answered(
            "2.2 a ping with a payload",
            vec![ping("Hello, world!")],
            &[pong("Hello, world!")],
        ),
        answered(
            "2.3 a ping with bytes",
            vec![frame(FIN | PING, &binary)],
            &[Received::Pong(binary.to_vec())],
        ),
        answered("2.4 a ping of 125 bytes", vec![ping(&long)], &[pong(&long)]),
        closed(
            "2.5 a ping of 126 bytes",
            vec![ping(&"*".repeat(126))],
            &[],
            1002,
        ),
        answered(
            "2.7 a pong that nobody asked for",
            vec![frame(FIN | PONG, b"")],
            &[],
        ),
        answered(
            "2.8 the same with a payload",
            vec![frame(FIN | PONG, b"unsolicited")],
            &[],
        ),
        answered(
            "2.9 a pong, then a ping",
            vec![frame(FIN | PONG, b"unsolicited"), ping("ping")],
            &[pong("ping")],
        ),
        answered(
            "2.10 ten pings",
            ten.iter().map(|payload| ping(payload)).collect(),
            &ten.iter().map(|payload| pong(payload)).collect::<Vec<_>>(),
        ),
    ]
}

/// 3 and 4: reserved bits and opcodes, and what is not masked (RFC 6455, 5.1), which Autobahn cannot send.
pub fn reserved() -> Vec<Case> {
    let hello = || text(command("hello"));
    let with_bits = |bits: u8, opcode: u8| frame(FIN | bits << 4 | opcode, &command("hello"));
    let mut cases = vec![
        closed(
            "3.1 a text with the reserved bits 1",
            vec![with_bits(1, TEXT)],
            &[],
            1002,
        ),
        closed(
            "3.5 a binary frame with the reserved bits 5",
            vec![with_bits(5, BINARY)],
            &[],
            1002,
        ),
        closed(
            "3.6 a ping with the reserved bits 6",
            vec![frame(FIN | 6 << 4 | PING, b"")],
            &[],
            1002,
        ),
        closed(
            "3.7 a close frame with the reserved bits 7",
            vec![frame(FIN | 7 << 4 | CLOSE, b"")],
            &[],
            1002,
        ),
        closed(
            "RFC 5.1: not masked",
            vec![vec![FIN | TEXT, 2, b'{', b'}']],
            &[],
            1002,
        ),
        closed(
            "RFC 5.1: a ping, not masked",
            vec![vec![FIN | PING, 0]],
            &[],
            1002,
        ),
    ];
    for (number, bits) in [("3.2", 2), ("3.3", 3), ("3.4", 4)] {
        let name = format!("{number} a text, one with the reserved bits {bits}, a ping");
        let frames = vec![hello(), with_bits(bits, TEXT), ping("")];
        cases.push(closed(&name, frames, &[echo("hello")], 1002));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let alone = frame(FIN | opcode, b"");
        let name = format!("4 the opcode {opcode}");
        cases.push(closed(&name, vec![alone.clone()], &[], 1002));
        let name = format!("4 a text, the opcode {opcode}, a ping");
        cases.push(closed(
            &name,
            vec![hello(), alone, ping("")],
            &[echo("hello")],
            1002,
        ));
    }
    cases
}

/// 5: fragments.
pub fn fragmentation() -> Vec<Case> {
    let hello = command("hello");
    let parts: Vec<&[u8]> = hello.chunks(12).collect();
    let two = || fragments(&[&hello[..20], &hello[20..]]);
    let stray = |fin: u8| frame(fin | CONTINUATION, b"nothing to continue");
    let bytes: Vec<&[u8]> = hello.chunks(1).collect();
    let with_pings = {
        let mut frames = fragments(&parts);
        frames.insert(2, ping("first"));
        frames.insert(4, ping("second"));
        frames
    };
    let with_one_ping = vec![two()[0].clone(), ping("ping"), two()[1].clone()];
    let both_text = vec![frame(TEXT, &hello[..20]), frame(FIN | TEXT, &hello[20..])];
    let fragmented = |opcode: u8| vec![frame(opcode, b"one"), frame(FIN | CONTINUATION, b"two")];
    vec![
        closed("5.1 a ping in two fragments", fragmented(PING), &[], 1002),
        closed("5.2 a pong in two fragments", fragmented(PONG), &[], 1002),
        answered("5.3 a text in two fragments", two(), &[echo("hello")]),
        answered(
            "5.5 a text in fragments of one byte",
            fragments(&bytes),
            &[echo("hello")],
        ),
        answered(
            "5.6 a ping between them",
            with_one_ping,
            &[pong("ping"), echo("hello")],
        ),
        closed(
            "5.9 a last fragment of nothing",
            vec![stray(FIN), text(&hello)],
            &[],
            1002,
        ),
        closed(
            "5.12 a fragment of nothing",
            vec![stray(0), text(&hello)],
            &[],
            1002,
        ),
        closed(
            "5.15 a fragment of nothing after a text in two",
            [two(), vec![stray(0), text(&hello)]].concat(),
            &[echo("hello")],
            1002,
        ),
        closed(
            "5.16 a fragment of nothing before a text in two",
            [vec![stray(0)], two()].concat(),
            &[],
            1002,
        ),
        closed(
            "5.17 a last fragment of nothing before it",
            [vec![stray(FIN)], two()].concat(),
            &[],
            1002,
        ),
        closed("5.18 two fragments that both begin", both_text, &[], 1002),
        answered(
            "5.19 five fragments and two pings",
            with_pings,
            &[pong("first"), pong("second"), echo("hello")],
        ),
        closed(
            "a fragment that is binary",
            vec![frame(BINARY, b"")],
            &[],
            1008,
        ),
    ]
}
