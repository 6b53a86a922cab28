//! As much of WebSocket (RFC 6455) as load and floor need: both sides of the handshake, and frames.

/// A client's key (the RFC's example), and the answer that belongs to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text or binary data, whole or in part.
    Data,
    /// The other side leaves.
    Close,
    /// To be answered with a pong.
    Ping,
    /// An answer to a ping.
    Pong,
}

/// A frame at the start of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it carries.
    pub kind: Kind,
    /// The carried bytes, still masked if they are.
    pub payload: &'a [u8],
    /// The key that they are masked with.
    pub mask: Option<[u8; 4]>,
    /// Bytes of the whole frame.
    pub length: usize,
}

impl Frame<'_> {
    /// The carried bytes, unmasked.
    pub fn unmasked(&self) -> Vec<u8> {
        let mask = self.mask.unwrap_or_default();
        let bytes = self.payload.iter().zip(mask.iter().cycle());
        bytes.map(|(byte, mask)| byte ^ mask).collect()
    }
}

/// The frame that these bytes start with, if it is there to its end.
#[inline]
pub fn frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let [first, second, rest @ ..] = bytes else {
        return None;
    };
    let (length, rest) = match second & 0x7f {
        0x7e => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from(u16::from_be_bytes(*length)), rest)
        }
        0x7f => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length), rest)
        }
        short => (u64::from(short), rest),
    };
    let (mask, rest) = if second & 0x80 == 0 {
        (None, rest)
    } else {
        let (mask, rest) = rest.split_first_chunk()?;
        (Some(*mask), rest)
    };
    let payload = rest.get(..usize::try_from(length).ok()?)?;
    let kind = match first & 0x0f {
        8 => Kind::Close,
        9 => Kind::Ping,
        10 => Kind::Pong,
        _ => Kind::Data,
    };
    Some(Frame {
        kind,
        payload,
        mask,
        length: bytes.len() - rest.len() + payload.len(),
    })
}

/// A server's text frame.
pub fn from_server(payload: &[u8]) -> Vec<u8> {
    let mut frame = head(0x81, payload.len(), 0);
    frame.extend_from_slice(payload);
    frame
}

/// A client's text frame.
pub fn from_client(payload: &[u8]) -> Vec<u8> {
    masked(0x81, payload)
}

/// A client's answer to a ping.
pub fn pong(payload: &[u8]) -> Vec<u8> {
    masked(0x8a, payload)
}

/// Masked with zeros: as valid as any key, and the payload stays as it is.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = head(first, payload.len(), 0x80);
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

fn head(first: u8, length: usize, mask: u8) -> Vec<u8> {
    let mut head = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 0x7e => head.push(mask | short),
        (_, Ok(medium)) => {
            head.push(mask | 0x7e);
            head.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            head.push(mask | 0x7f);
            head.extend_from_slice(&u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    head
}

/// A client's request for a socket.
pub fn request(path: &str, protocol: Option<&str>) -> String {
    let protocol = protocol.map_or_else(String::new, |name| {
        format!("Sec-WebSocket-Protocol: {name}\r\n")
    });
    format!(
        "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{protocol}\r\n"
    )
}

/// A server's answer to the request of [`request`].
pub fn accepted() -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_every_length_are_read_as_they_were_written() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            for bytes in [from_server(&payload), from_client(&payload)] {
                let read = frame(&bytes).unwrap();
                assert_eq!((read.kind, read.length), (Kind::Data, bytes.len()));
                assert_eq!(read.unmasked(), payload);
            }
        }
    }

    #[test]
    fn a_frame_that_is_not_there_to_its_end_is_none_yet() {
        let bytes = from_client(&[b'x'; 300]);
        for end in 0..bytes.len() {
            assert_eq!(frame(&bytes[..end]), None);
        }
    }

    #[test]
    fn a_mask_is_taken_off() {
        let bytes = [0x81, 0x82, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2];
        assert_eq!(frame(&bytes).unwrap().unmasked(), b"ab");
    }
}
