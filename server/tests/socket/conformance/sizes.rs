//! The cases of sizes. The suite sends up to 16 MiB; a command has at most 4 KiB.

use super::{BINARY, Case, FIN, TEXT, answered, closed, command_of, echo, fragments, frame, text};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const LIMIT: usize = 4 * KIB;

/// 1.1, 9.1, and 9.7 as far as nothing in it is a command: texts of all sizes.
pub fn texts() -> Vec<Case> {
    let mut cases = vec![
        closed("1.1.1 no text", vec![text("")], &[], 1008),
        closed(
            "9.7.1 texts without a byte",
            vec![text(""); 1000],
            &[],
            1008,
        ),
        closed(
            "9.7.2 texts of 16 bytes",
            vec![text("*".repeat(16)); 1000],
            &[],
            1008,
        ),
    ];
    for (number, length) in [
        ("1.1.2", 125),
        ("1.1.3", 126),
        ("1.1.4", 127),
        ("1.1.5", 128),
        ("limit", LIMIT),
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
        ("limit", LIMIT + 1),
        ("1.1.6", 65_535),
        ("1.1.7", 65_536),
        ("9.1.1", 64 * KIB),
        ("9.1.2", 256 * KIB),
        ("9.1.3", MIB),
        ("9.1.4", 4 * MIB),
        ("9.1.5", 8 * MIB),
        ("9.1.6", 16 * MIB),
    ] {
        let name = format!("{number} a text of {length} bytes");
        cases.push(closed(&name, vec![text(command_of(length).0)], &[], 1009));
    }
    cases
}

/// 1.2, 9.2 and 9.8: binary frames, which this protocol does not have.
pub fn binary() -> Vec<Case> {
    let of = |length: usize| frame(FIN | BINARY, &vec![0xfe; length]);
    let mut cases = Vec::new();
    for (number, length, code) in [
        ("1.2.1", 0, 1008),
        ("1.2.2", 125, 1008),
        ("1.2.3", 126, 1008),
        ("1.2.4", 127, 1008),
        ("1.2.5", 128, 1008),
        ("limit", LIMIT, 1008),
        ("limit", LIMIT + 1, 1009),
        ("1.2.6", 65_535, 1009),
        ("1.2.7", 65_536, 1009),
        ("9.2.1", 64 * KIB, 1009),
        ("9.2.2", 256 * KIB, 1009),
        ("9.2.3", MIB, 1009),
        ("9.2.4", 4 * MIB, 1009),
        ("9.2.5", 8 * MIB, 1009),
        ("9.2.6", 16 * MIB, 1009),
    ] {
        let name = format!("{number} a binary frame of {length} bytes");
        cases.push(closed(&name, vec![of(length)], &[], code));
    }
    for (number, length) in [(1, 0), (2, 16), (3, 64), (4, 256), (5, 1024), (6, 4096)] {
        let name = format!("9.8.{number} binary frames of {length} bytes");
        cases.push(closed(&name, vec![of(length); 1000], &[], 1008));
    }
    cases
}

/// 1.1.8, 1.2.8, 9.3 to 9.6 and 10: what is too long, in fragments and in pieces.
pub fn cut() -> Vec<Case> {
    let mut cases = Vec::new();
    let chopped = |name: &str, frame: Vec<u8>, size: usize| Case {
        chop: Some(size),
        ..closed(
            &format!("{name} in pieces of {size} bytes"),
            vec![frame],
            &[],
            1009,
        )
    };
    let of = |opcode: u8, length: usize| frame(FIN | opcode, &command_of(length).0);
    cases.push(chopped("1.1.8 a text", of(TEXT, 65_536), 997));
    cases.push(chopped("1.2.8 a binary frame", of(BINARY, 65_536), 997));
    for (number, size) in [(1, 64), (2, 128), (3, 256), (4, 512), (5, 1024), (6, 2048)] {
        cases.push(chopped(
            &format!("9.5.{number} a text"),
            of(TEXT, MIB),
            size,
        ));
        cases.push(chopped(
            &format!("9.6.{number} a binary frame"),
            of(BINARY, MIB),
            size,
        ));
    }
    let (command, _) = command_of(4 * MIB);
    for (number, size) in [
        (1, 64),
        (2, 256),
        (3, KIB),
        (4, 4 * KIB),
        (5, 16 * KIB),
        (6, 64 * KIB),
        (7, 256 * KIB),
        (8, MIB),
        (9, 4 * MIB),
    ] {
        let parts: Vec<&[u8]> = command.chunks(size).collect();
        let mut frames = fragments(&parts);
        let name = format!("9.3.{number} a text in fragments of {size} bytes");
        cases.push(closed(&name, frames.clone(), &[], 1009));
        // They differ in the opcode of the first one.
        frames[0][0] = frames[0][0] & FIN | BINARY;
        let name = format!("9.4.{number} binary fragments of {size} bytes");
        let code = if size <= LIMIT { 1008 } else { 1009 };
        cases.push(closed(&name, frames, &[], code));
    }
    let (command, _) = command_of(65_536);
    let parts: Vec<&[u8]> = command.chunks(1300).collect();
    cases.push(closed(
        "10.1.1 a text in fragments of 1300 bytes",
        fragments(&parts),
        &[],
        1009,
    ));
    cases
}
