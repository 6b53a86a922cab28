//! The cases of the closing handshake.

use super::client::NO_CODE;
use super::{
    CLOSE, CONTINUATION, Case, FIN, TEXT, close, closed, command, echo, frame, ping, text,
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
        closed("7.1.2 twice", vec![code(1000), code(1000)], &[], 1000),
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
            vec![close(1000, b"\xce\xba\xed\xa0\x80")],
            &[],
            1007,
        ),
    ];
    let valid = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ];
    for it in valid {
        cases.push(closed(
            &format!("7.7 the code {it}"),
            vec![code(it)],
            &[],
            it,
        ));
    }
    for it in [
        0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535,
    ] {
        cases.push(closed(
            &format!("7.9 and 7.13 the code {it}"),
            vec![code(it)],
            &[],
            1002,
        ));
    }
    cases
}
