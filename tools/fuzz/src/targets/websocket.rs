//! Frames from a client: however the bytes arrive, the same frames are decoded.

use server::websocket::{DecodeError, Decoder, Incoming};

/// As small as possible, so that short inputs reach it.
const MAX_TEXT: usize = 200;

/// The first byte is how many bytes arrive at a time.
pub fn run(bytes: &[u8]) {
    let Some((piece, bytes)) = bytes.split_first() else {
        return;
    };
    let at_once = decode(bytes, bytes.len().max(1));
    let in_pieces = decode(bytes, usize::from(*piece).max(1));
    assert_eq!(at_once, in_pieces);
}

fn decode(bytes: &[u8], piece: usize) -> (Vec<Incoming>, Option<DecodeError>) {
    let mut decoder = Decoder::new(MAX_TEXT);
    let mut frames = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.feed(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => {
                    check(&frame);
                    frames.push(frame);
                }
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

fn check(frame: &Incoming) {
    match frame {
        Incoming::Text(text) => assert!(text.len() <= MAX_TEXT),
        Incoming::Ping(payload) => assert!(payload.len() <= 125),
        Incoming::Close(code) => assert!(code.is_none_or(|code| (1000..5000).contains(&code))),
        Incoming::Binary | Incoming::Fragment | Incoming::Pong => {}
    }
}
