//! The cases of single frames and of fragments.

use super::client::Received;
use super::{
    BINARY, CLOSE, CONTINUATION, Case, FIN, PING, PONG, TEXT, answered, closed, command, echo,
    fragments, frame, in_parts, part, ping, pong, text,
};

/// 2: pings and pongs.
pub fn pings() -> Vec<Case> {
    let binary = [0, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0, 0xff];
    let long = [0xfe; 125];
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
        answered(
            "2.4 and 2.6 a ping of 125 bytes",
            vec![frame(FIN | PING, &long)],
            &[Received::Pong(long.to_vec())],
        ),
        closed(
            "2.5 a ping of 126 bytes",
            vec![frame(FIN | PING, &[0xfe; 126])],
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
            "2.10 and 2.11 ten pings",
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
            "3.6 a binary frame with them, which is what the suite sends",
            vec![with_bits(6, BINARY)],
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
    // The suite sends each opcode in one of these ways.
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let number = match opcode {
            3..=7 => format!("4.1.{}", opcode - 2),
            _ => format!("4.2.{}", opcode - 10),
        };
        for payload in ["", "reserved opcode payload"] {
            let name = format!("the opcode {opcode} with {} bytes", payload.len());
            let reserved = frame(FIN | opcode, payload.as_bytes());
            let alone = vec![reserved.clone()];
            cases.push(closed(&format!("{number} {name}"), alone, &[], 1002));
            let name = format!("{number} a text, {name}, a ping");
            let frames = vec![hello(), reserved, ping("")];
            cases.push(closed(&name, frames, &[echo("hello")], 1002));
        }
    }
    cases
}

/// 5: fragments.
pub fn fragmentation() -> Vec<Case> {
    let hello = command("hello");
    let parts: Vec<&[u8]> = hello.chunks(hello.len().div_ceil(5)).collect();
    let two = || fragments(&[&hello[..20], &hello[20..]]);
    let stray = |fin: u8| frame(fin | CONTINUATION, b"nothing to continue");
    let bytes: Vec<&[u8]> = hello.chunks(1).collect();
    let five = fragments(&parts);
    let first = [&five[..2], &[ping("first")]].concat();
    let second = [&five[2..4], &[ping("second")], &five[4..]].concat();
    let with_one_ping = vec![two()[0].clone(), ping("ping"), two()[1].clone()];
    let both_text = vec![frame(TEXT, &hello[..20]), frame(FIN | TEXT, &hello[20..])];
    let fragmented = |opcode: u8| vec![frame(opcode, b"one"), frame(FIN | CONTINUATION, b"two")];
    vec![
        closed("5.1 a ping in two fragments", fragmented(PING), &[], 1002),
        closed("5.2 a pong in two fragments", fragmented(PONG), &[], 1002),
        answered(
            "5.3 to 5.5 a text in two fragments",
            two(),
            &[echo("hello")],
        ),
        answered(
            "RFC 5.4: a text in fragments of one byte",
            fragments(&bytes),
            &[echo("hello")],
        ),
        answered(
            "5.6 to 5.8 a ping between two fragments",
            with_one_ping,
            &[pong("ping"), echo("hello")],
        ),
        closed(
            "5.9 to 5.11 a last fragment of nothing",
            vec![stray(FIN), text(&hello)],
            &[],
            1002,
        ),
        closed(
            "5.12 to 5.14 a fragment of nothing",
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
            "5.16 twice a fragment of nothing before a text in two",
            [vec![stray(0)], two(), vec![stray(0)], two()].concat(),
            &[],
            1002,
        ),
        closed(
            "5.17 twice a last fragment of nothing before it",
            [vec![stray(FIN)], two(), vec![stray(FIN)], two()].concat(),
            &[],
            1002,
        ),
        closed("5.18 two fragments that both begin", both_text, &[], 1002),
        in_parts(
            "5.19 and 5.20 two fragments and a ping, a wait, three and a ping",
            vec![
                part(first, &[pong("first")]),
                part(second, &[pong("second"), echo("hello")]),
            ],
            None,
        ),
        closed(
            "a fragment that is binary",
            vec![frame(BINARY, b"")],
            &[],
            1008,
        ),
    ]
}
