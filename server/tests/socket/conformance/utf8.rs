//! The cases of UTF-8.

use super::{
    BEFORE, CONTINUATION, Case, Part, TEXT, answered, closed, command, echo, fragments, frame,
    in_parts, part, text,
};

/// The suite's text, 11 bytes in UTF-8. Its second letter is not the one that keyboards write, U+03CC.
const KAPPA: &str = "κ\u{1f79}σμε";
/// The same with a surrogate behind it.
pub const NOT_UTF8: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";
/// The same with U+110000 behind it, which is no character. The second byte after the text is the first wrong one.
const BEYOND: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited";

const HELLO: &str = "Hello-µ@ßöäüàá-UTF-8!!";

/// 6: UTF-8.
pub fn cases() -> Vec<Case> {
    let [hello, kappa, wrong] = [HELLO.as_bytes(), KAPPA.as_bytes(), NOT_UTF8].map(command);
    let by_one = |bytes: &[u8]| fragments(&bytes.chunks(1).collect::<Vec<_>>());
    let middle = command("middle");
    let cut = BEFORE.len() + "Hello-µ@ßöä".len();
    let mut cases = vec![
        closed("6.1.1 no text", vec![text("")], &[], 1008),
        closed(
            "6.1.2 three fragments of nothing",
            fragments(&[b"", b"", b""]),
            &[],
            1008,
        ),
        answered(
            "6.1.3 nothing before and after",
            fragments(&[b"", &middle, b""]),
            &[echo("middle")],
        ),
        answered("6.2.1 a text", vec![text(&hello)], &[echo(HELLO)]),
        answered(
            "6.2.2 in two fragments, cut between letters",
            fragments(&[&hello[..cut], &hello[cut..]]),
            &[echo(HELLO)],
        ),
        answered(
            "6.2.3 in fragments of one byte",
            by_one(&hello),
            &[echo(HELLO)],
        ),
        answered(
            "6.2.4 in fragments of one byte",
            by_one(&kappa),
            &[echo(KAPPA)],
        ),
        closed("6.3.1 a text that is none", vec![text(&wrong)], &[], 1007),
        closed("6.3.2 in fragments of one byte", by_one(&wrong), &[], 1007),
        closed(
            "6.14 a text that ends within a character",
            vec![text(b"\"\xe2\x82")],
            &[],
            1007,
        ),
    ];
    cases.extend(fail_fast());
    cases.extend(sequences());
    cases
}

/// 6.4: with a wait behind each part, to see when the socket is closed.
fn fail_fast() -> Vec<Case> {
    let wrong = command(BEYOND);
    let until = BEFORE.len() + KAPPA.len();
    let fragment = |opcode: u8, bytes: &[u8]| part(vec![frame(opcode, bytes)], &[]);
    // The suite's third part is left out: the socket has to be closed before it.
    let closed_at = |name: &str, first: usize, second: usize| {
        let (first, second) = (&wrong[..first], &wrong[first..second]);
        let parts = vec![fragment(TEXT, first), fragment(CONTINUATION, second)];
        in_parts(name, parts, Some(1007))
    };
    let whole = text(&wrong);
    let header = whole.len() - wrong.len();
    // Within a frame it is closed when the frame is complete, which the suite takes too.
    let closed_behind = |name: &str, ends: [usize; 2]| {
        let [first, second] = ends.map(|end| header + end);
        let parts = [&whole[..first], &whole[first..second], &whole[second..]];
        let parts: Vec<Part> = parts.map(|bytes| part(vec![bytes.to_vec()], &[])).into();
        in_parts(name, parts, Some(1007))
    };
    vec![
        closed_at("6.4.1 at the fragment that is wrong", until, until + 4),
        closed_at("6.4.2 at the byte that is wrong", until + 1, until + 2),
        closed_behind("6.4.3 the same in one frame", [until, until + 4]),
        closed_behind("6.4.4 the same in one frame", [until + 1, until + 2]),
    ]
}

/// 6.5 to 6.23: the sequences of Autobahn, which has them from Markus Kuhn's test file. It leaves out the last byte of
/// each of the ranges in 6.12.8 and 6.13. 6.5.5 and 6.11.4 are 6.6.11 and 6.9.4.
fn sequences() -> Vec<Case> {
    let mut cases = Vec::new();
    for length in 1..=KAPPA.len() {
        let beginning = &KAPPA.as_bytes()[..length];
        let name = format!("6.6.{length} a beginning");
        let frames = vec![text(command(beginning))];
        cases.push(match std::str::from_utf8(beginning) {
            Ok(beginning) => answered(&name, frames, &[echo(beginning)]),
            Err(_) => closed(&name, frames, &[], 1007),
        });
    }
    for valid in VALID {
        let name = format!("6.5 to 6.23, {valid:?}");
        cases.push(answered(&name, vec![text(command(valid))], &[echo(valid)]));
    }
    for plane in 0..=16_u32 {
        for last in [0xfffe, 0xffff] {
            let valid = char::from_u32(plane << 16 | last).unwrap().to_string();
            let name = format!("6.22 the noncharacter {valid:?}");
            cases.push(answered(
                &name,
                vec![text(command(&valid))],
                &[echo(&valid)],
            ));
        }
    }
    for invalid in INVALID {
        let name = format!("6.8 to 6.21, {invalid:x?}");
        cases.push(closed(&name, vec![text(command(invalid))], &[], 1007));
    }
    let continuations: Vec<u8> = (0x80..=0xbf).collect();
    cases.push(closed(
        "6.12.8 all continuation bytes",
        vec![text(command(continuations))],
        &[],
        1007,
    ));
    for starts in [
        0xc0..=0xdf,
        0xe0..=0xef,
        0xf0..=0xf7,
        0xf8..=0xfb,
        0xfc..=0xfd_u8,
    ] {
        let name = format!("6.13 lonely start bytes {starts:x?}");
        let bytes: Vec<u8> = starts.flat_map(|start| [start, b' ']).collect();
        cases.push(closed(&name, vec![text(command(bytes))], &[], 1007));
    }
    // A control character is UTF-8, but not allowed in a JSON string.
    cases.push(closed("6.7.1 U+0000", vec![text(command("\0"))], &[], 1008));
    cases
}

/// What is UTF-8: 6.5, 6.7, 6.9, 6.11 and 6.23.
const VALID: &[&str] = &[
    "hello$world",
    "hello¢world",
    "hello€world",
    "hello\u{24b62}world",
    "\u{80}",
    "\u{800}",
    "\u{10000}",
    "\u{7f}",
    "\u{7ff}",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{fffd}",
    "\u{fff9}",
    "\u{fffa}",
    "\u{fffb}",
    "\u{fffc}",
];

/// What is not.
const INVALID: &[&[u8]] = &[
    // 6.8 and 6.10: five and six bytes, and beyond U+10FFFF.
    b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf",
    b"\xfd\xbf\xbf\xbf\xbf\xbf",
    // 6.11
    b"\xf4\x90\x80\x80",
    // 6.12: unexpected continuation bytes.
    b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80", b"\x80\xbf\x80\xbf", b"\x80\xbf\x80\xbf\x80",
    b"\x80\xbf\x80\xbf\x80\xbf",
    // 6.14: the last continuation byte is missing; 6.15: all of these.
    b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80", b"\xdf", b"\xef\xbf",
    b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf",
    b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf\xfb\xbf\xbf\xbf\xfd\xbf\xbf\xbf\xbf",
    // 6.16: impossible bytes.
    b"\xfe", b"\xff", b"\xfe\xfe\xff\xff",
    // 6.17 to 6.19: overlong.
    b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf",
    b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf",
    b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80",
    // 6.20 and 6.21: surrogates, alone and in pairs.
    b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbe\x80",
    b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xa0\x80\xed\xbf\xbf", b"\xed\xad\xbf\xed\xb0\x80",
    b"\xed\xad\xbf\xed\xbf\xbf", b"\xed\xae\x80\xed\xb0\x80", b"\xed\xae\x80\xed\xbf\xbf",
    b"\xed\xaf\xbf\xed\xb0\x80", b"\xed\xaf\xbf\xed\xbf\xbf",
];
