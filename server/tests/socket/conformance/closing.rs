//! The cases of the closing handshake.

use super::client::NO_CODE;
use super::utf8::NOT_UTF8;
use super::{
    CLOSE, CONTINUATION, Case, FIN, TEXT, close, closed, command, command_of, echo, frame, ping,
    text,
};

/// 7: closing.
pub fn cases() -> Vec<Case> {
    let hello = || text(command("hello"));
    let empty = || frame(FIN | CLOSE, b"");
    let code = |code: u16| close(code, b"");
    let [one, two] = [frame(TEXT, b"{"), frame(FIN | CONTINUATION, b"}")];
    let long = "*".repeat(123);
    let mut cases = vec![
        closed(
            "7.1.1 after a text",
            vec![hello(), code(1000)],
            &[echo("hello")],
            1000,
        ),
        closed("7.1.2 twice", vec![code(1000), empty()], &[], 1000),
        closed(
            "7.1.3 a ping after it",
            vec![code(1000), ping("")],
            &[],
            1000,
        ),
        closed(
            "7.1.4 a text after it",
            vec![code(1000), hello()],
            &[],
            1000,
        ),
        closed(
            "7.1.5 between fragments",
            vec![one, code(1000), two],
            &[],
            1000,
        ),
        // The suite takes any answer to it.
        closed(
            "7.1.6 after a text of 256 KiB and a short one",
            vec![
                text(command_of(256 * 1024).0),
                hello(),
                code(1000),
                ping(""),
            ],
            &[],
            1009,
        ),
        closed("7.3.1 no payload", vec![empty()], &[], NO_CODE),
        closed(
            "7.3.2 half a code",
            vec![frame(FIN | CLOSE, b"a")],
            &[],
            1002,
        ),
        closed("7.3.3 a code", vec![code(1000)], &[], 1000),
        closed(
            "7.3.4 a reason",
            vec![close(1000, b"Hello World!")],
            &[],
            1000,
        ),
        closed(
            "7.3.5 a reason of 123 bytes",
            vec![close(1000, long.as_bytes())],
            &[],
            1000,
        ),
        closed(
            "7.3.6 a reason of 124 bytes",
            vec![close(1000, &[b'*'; 124])],
            &[],
            1002,
        ),
        closed(
            "7.5.1 a reason that is not UTF-8",
            vec![close(1000, NOT_UTF8)],
            &[],
            1007,
        ),
    ];
    for (list, valid) in [("7.7", VALID), ("the registry", REGISTERED_SINCE)] {
        for it in valid {
            let name = format!("{list}, the code {it}");
            cases.push(closed(&name, vec![code(*it)], &[], *it));
        }
    }
    for (list, invalid) in [
        ("7.9", INVALID),
        ("7.13", OUT_OF_RANGE),
        ("the registry", NEVER_SENT),
    ] {
        for it in invalid {
            let name = format!("{list}, the code {it}");
            cases.push(closed(&name, vec![code(*it)], &[], 1002));
        }
    }
    cases
}

/// The codes of 7.7, which may be sent.
const VALID: &[u16] = &[
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
];

/// Codes that may be sent too: IANA registered them after the RFC, and the suite has none of them.
const REGISTERED_SINCE: &[u16] = &[1012, 1013, 1014];

/// The codes of 7.9, which may not be sent.
const INVALID: &[u16] = &[0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];

/// The codes of 7.13. The suite takes any answer to them.
const OUT_OF_RANGE: &[u16] = &[5000, 65535];

/// A code that the RFC keeps for what is not sent, which the suite does not have.
const NEVER_SENT: &[u16] = &[1015];
