//! RESP3, as far as nodes speak it: commands are arrays of strings. The codec of the crate `redis` is not public, and does
//! not encode what a server pushes.

use bytes::{Buf, Bytes, BytesMut};

/// A command with its arguments.
pub type Command = Vec<Bytes>;

/// Takes the next whole command out of what was read.
pub fn next_command(input: &mut BytesMut) -> Option<Command> {
    let mut rest = &input[..];
    let arguments = header(&mut rest, b'*')?;
    let mut command = Vec::with_capacity(arguments);
    for _ in 0..arguments {
        let length = header(&mut rest, b'$')?;
        let argument = rest.get(..length)?;
        command.push(Bytes::copy_from_slice(argument));
        rest = rest.get(length + 2..)?;
    }
    let length = input.len() - rest.len();
    input.advance(length);
    Some(command)
}

/// Takes a line that begins with this type, and returns its number.
fn header(rest: &mut &[u8], kind: u8) -> Option<usize> {
    let end = rest.windows(2).position(|it| it == b"\r\n")?;
    let (line, after) = (&rest[..end], &rest[end + 2..]);
    *rest = after;
    let (first, number) = line.split_first()?;
    assert_eq!(*first, kind, "nodes send arrays of strings");
    let number = std::str::from_utf8(number).ok()?;
    Some(number.parse().expect("it is a length"))
}

/// Encodes strings after a header, such as `>3` for a push of three.
pub fn strings(header: &str, strings: &[&[u8]]) -> Vec<u8> {
    let mut encoded = format!("{header}\r\n").into_bytes();
    for string in strings {
        encoded.extend(bulk(string));
    }
    encoded
}

/// Encodes a string.
pub fn bulk(string: &[u8]) -> Vec<u8> {
    let mut encoded = format!("${}\r\n", string.len()).into_bytes();
    encoded.extend(string);
    encoded.extend(b"\r\n");
    encoded
}

/// Encodes a number.
pub fn number(number: usize) -> Vec<u8> {
    format!(":{number}\r\n").into_bytes()
}
