//! As much of WebSocket (RFC 6455) as the load and the bare program need: both sides of the handshake, and frames.

/// A client's key (the RFC's example), and the answer that belongs to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const MASKED: u8 = 0x80;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text or binary data, whole or in part.
    Data,
    Close,
    Ping,
    Pong,
}

/// A frame at the start of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    pub kind: Kind,
    /// Still masked, if there is a mask.
    pub payload: &'a [u8],
    pub mask: Option<[u8; 4]>,
    /// Bytes of the whole frame.
    pub length: usize,
}

impl Frame<'_> {
    pub fn unmasked(&self) -> Vec<u8> {
        let mask = self.mask.unwrap_or_default();
        let bytes = self.payload.iter().zip(mask.iter().cycle());
        bytes.map(|(byte, mask)| byte ^ mask).collect()
    }
}

/// The frame that these bytes start with, if it is complete.
#[inline]
pub fn frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let [first, second, rest @ ..] = bytes else {
        return None;
    };
    let (length, rest) = match second & !MASKED {
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
    let (mask, rest) = if second & MASKED == 0 {
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
    write(0x81, 0, payload)
}

/// A client's text frame.
pub fn from_client(payload: &[u8]) -> Vec<u8> {
    write(0x81, MASKED, payload)
}

/// A client's answer to a ping.
pub fn pong(payload: &[u8]) -> Vec<u8> {
    write(0x8a, MASKED, payload)
}

fn write(first: u8, masked: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short), _) if short < 0x7e => frame.push(masked | short),
        (_, Ok(medium)) => {
            frame.push(masked | 0x7e);
            frame.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            frame.push(masked | 0x7f);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    if masked != 0 {
        // As valid as any other mask, and the payload stays as it is.
        frame.extend_from_slice(&[0; 4]);
    }
    frame.extend_from_slice(payload);
    frame
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

/// A server's answer to [`request`].
pub fn response() -> String {
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
                assert_eq!(frame(&bytes[..bytes.len() - 1]), None);
            }
        }
    }

    #[test]
    fn a_mask_is_taken_off() {
        let bytes = [0x81, 0x82, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2];
        assert_eq!(frame(&bytes).unwrap().unmasked(), b"ab");
    }
}
