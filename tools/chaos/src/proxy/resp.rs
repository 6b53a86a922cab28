//! Where one value of Redis' protocol ends (RESP2 and RESP3), and whether it is a message of a subscription.

/// Bytes that are not of this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotResp;

/// Values within values: Redis' own answers have three levels.
const MOST_LEVELS: usize = 16;

/// The length of the first whole value in bytes; `None` when more bytes are needed.
pub fn first_value(bytes: &[u8]) -> Result<Option<usize>, NotResp> {
    value(bytes, 0)
}

fn value(bytes: &[u8], level: usize) -> Result<Option<usize>, NotResp> {
    let Some(&kind) = bytes.first() else {
        return Ok(None);
    };
    if level > MOST_LEVELS {
        return Err(NotResp);
    }
    let Some(line) = bytes.windows(2).position(|pair| pair == b"\r\n") else {
        return Ok(None);
    };
    let body = line + 2;
    match kind {
        b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => Ok(Some(body)),
        b'$' | b'!' | b'=' => {
            let end = count(&bytes[1..line])?.map_or(body, |length| body + length + 2);
            Ok((bytes.len() >= end).then_some(end))
        }
        b'*' | b'~' | b'>' => values(bytes, body, count(&bytes[1..line])?.unwrap_or(0), level),
        b'%' => values(bytes, body, 2 * count(&bytes[1..line])?.unwrap_or(0), level),
        // An attribute stands before the value that it describes.
        b'|' => values(
            bytes,
            body,
            2 * count(&bytes[1..line])?.unwrap_or(0) + 1,
            level,
        ),
        _ => Err(NotResp),
    }
}

fn values(
    bytes: &[u8],
    mut end: usize,
    count: usize,
    level: usize,
) -> Result<Option<usize>, NotResp> {
    for _ in 0..count {
        let Some(length) = value(&bytes[end..], level + 1)? else {
            return Ok(None);
        };
        end += length;
    }
    Ok(Some(end))
}

/// A length or a number of elements; `None` for the null that older versions write as -1.
fn count(digits: &[u8]) -> Result<Option<usize>, NotResp> {
    let text = std::str::from_utf8(digits).map_err(|_| NotResp)?;
    if text == "-1" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| NotResp)
}

/// Whether the value is what a subscriber gets when somebody publishes.
pub fn is_message(value: &[u8]) -> bool {
    let Some(rest) = value
        .strip_prefix(b"*3\r\n")
        .or_else(|| value.strip_prefix(b">3\r\n"))
    else {
        return false;
    };
    rest.starts_with(b"$7\r\nmessage\r\n") || rest.starts_with(b"$8\r\nsmessage\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"*3\r\n$7\r\nmessage\r\n$8\r\nupload:1\r\n$5\r\nm\r\n{}\r\n";
    const VALUES: [&[u8]; 12] = [
        MESSAGE,
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
    fn values_are_told_apart() {
        let stream = VALUES.concat();
        let mut rest = stream.as_slice();
        for value in VALUES {
            assert_eq!(first_value(rest), Ok(Some(value.len())));
            rest = &rest[value.len()..];
        }
        assert_eq!(first_value(rest), Ok(None));
    }

    #[test]
    fn a_value_that_is_not_whole_yet_waits() {
        for value in VALUES {
            for length in 0..value.len() {
                assert_eq!(
                    first_value(&value[..length]),
                    Ok(None),
                    "{length} of {value:?}"
                );
            }
        }
    }

    #[test]
    fn other_protocols_are_noticed() {
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
