//! Where one value of Redis' protocol ends (RESP2 and RESP3), and whether it is a published message.

/// Bytes that are not of this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotResp;

/// Redis' own answers have three levels.
const MAX_DEPTH: usize = 16;

/// The length of the first whole value in bytes; `None` when more bytes are needed.
pub fn first_value(bytes: &[u8]) -> Result<Option<usize>, NotResp> {
    value(bytes, 0)
}

fn value(bytes: &[u8], depth: usize) -> Result<Option<usize>, NotResp> {
    if depth > MAX_DEPTH {
        return Err(NotResp);
    }
    let Some(line_end) = bytes.windows(2).position(|pair| pair == b"\r\n") else {
        return Ok(None);
    };
    let (kind, rest) = bytes[..line_end].split_first().ok_or(NotResp)?;
    let mut end = line_end + 2;
    let children = match kind {
        b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => 0,
        b'$' | b'!' | b'=' => {
            end = count(rest)?.map_or(end, |length| end + length + 2);
            return Ok((bytes.len() >= end).then_some(end));
        }
        b'*' | b'~' | b'>' => count(rest)?.unwrap_or(0),
        b'%' => 2 * count(rest)?.unwrap_or(0),
        // An attribute stands before the value that it describes.
        b'|' => 2 * count(rest)?.unwrap_or(0) + 1,
        _ => return Err(NotResp),
    };
    for _ in 0..children {
        match value(&bytes[end..], depth + 1)? {
            Some(length) => end += length,
            None => return Ok(None),
        }
    }
    Ok(Some(end))
}

/// A length or a number of elements; `None` for the null that RESP2 writes as -1.
fn count(digits: &[u8]) -> Result<Option<usize>, NotResp> {
    match std::str::from_utf8(digits).map_err(|_| NotResp)? {
        "-1" => Ok(None),
        text => text.parse().map(Some).map_err(|_| NotResp),
    }
}

/// Whether the value is what a subscriber gets when somebody publishes.
pub fn is_message(value: &[u8]) -> bool {
    let body = value.strip_prefix(b"*3\r\n");
    let body = body.or_else(|| value.strip_prefix(b">3\r\n"));
    body.is_some_and(|body| {
        body.starts_with(b"$7\r\nmessage\r\n") || body.starts_with(b"$8\r\nsmessage\r\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [&[u8]; 12] = [
        b"*3\r\n$7\r\nmessage\r\n$8\r\nupload:1\r\n$5\r\nm\r\n{}\r\n",
        b">3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$0\r\n\r\n",
        b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
        b"+OK\r\n",
        b"-ERR no such thing\r\n",
        b":12\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"_\r\n",
        b"%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n:1\r\n:2\r\n",
        b"|1\r\n+ttl\r\n:1\r\n+OK\r\n",
        b"*0\r\n",
    ];

    #[test]
    fn values_are_split_when_they_are_whole() {
        let stream = VALUES.concat();
        let mut rest = stream.as_slice();
        for value in VALUES {
            assert_eq!(first_value(rest), Ok(Some(value.len())));
            rest = &rest[value.len()..];
            for length in 0..value.len() {
                assert_eq!(
                    first_value(&value[..length]),
                    Ok(None),
                    "{length} of {value:?}"
                );
            }
        }
        assert_eq!(first_value(rest), Ok(None));
    }

    #[test]
    fn other_protocols_are_refused() {
        for bytes in [&b"HTTP/1.1 200 OK\r\n"[..], b"$x\r\n", b"*1.5\r\n"] {
            assert_eq!(first_value(bytes), Err(NotResp));
        }
    }

    #[test]
    fn only_what_was_published_is_a_message() {
        let messages: Vec<_> = VALUES.iter().filter(|value| is_message(value)).collect();
        assert_eq!(messages, [&VALUES[0], &VALUES[1]]);
    }
}
