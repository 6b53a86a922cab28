//! The payload between nodes: one byte for the delivery class, then the text frame. A node passes the received bytes on
//! to its sockets without copying them, once the hub has checked that they are an event of the topic.

use std::io::Write;

use app::model::UploadId;
use axum::extract::ws::Utf8Bytes;
use bytes::{Buf, Bytes};
use redis::{RedisWrite, ToRedisArgs};

use crate::broker::{DeliveryClass, Frame};

/// The prefix of all channels, so that one rule (`&upload:*`) gives a Redis user access to them.
const PREFIX: &str = "upload:";

const MESSAGE: u8 = b'm';
const TOUCH: u8 = b't';
const PRESENCE: u8 = b'p';

/// The channel of a topic: `upload:` and the upload's 24 hexadecimal digits.
pub fn channel_of(topic: UploadId) -> String {
    format!("{PREFIX}{topic}")
}

/// A channel for a node's heartbeats, which is not the channel of a topic.
pub fn heartbeat_channel(random: u64) -> String {
    format!("{PREFIX}heartbeat:{random:016x}")
}

/// The topic of a channel; `None` for other channels.
pub fn topic_of(channel: &[u8]) -> Option<UploadId> {
    let id = channel.strip_prefix(PREFIX.as_bytes())?;
    std::str::from_utf8(id).ok()?.parse::<UploadId>().ok()
}

/// A frame as an argument of a Redis command.
pub struct Payload<'a>(pub &'a Frame);

impl ToRedisArgs for Payload<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let class = match self.0.class {
            DeliveryClass::Message => MESSAGE,
            DeliveryClass::Touch => TOUCH,
            DeliveryClass::Presence => PRESENCE,
        };
        let mut argument = out.writer_for_next_arg();
        let written = argument
            .write_all(&[class])
            .and_then(|()| argument.write_all(self.0.text.as_bytes()));
        written.expect("writing to a command in memory cannot fail");
    }
}

/// Parses a payload without copying its text; `None` if it is not a frame.
pub fn parse_frame(payload: Vec<u8>) -> Option<Frame> {
    let class = match *payload.first()? {
        MESSAGE => DeliveryClass::Message,
        TOUCH => DeliveryClass::Touch,
        PRESENCE => DeliveryClass::Presence,
        _ => return None,
    };
    let mut text = Bytes::from(payload);
    text.advance(1);
    let text = Utf8Bytes::try_from(text).ok()?;
    Some(Frame { class, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::conformance::{some_frame, some_topic};

    #[test]
    fn only_the_channel_of_a_topic_is_parsed_as_one() {
        let topic = some_topic();
        assert_eq!(topic_of(channel_of(topic).as_bytes()), Some(topic));
        for other in [
            &b"upload:"[..],
            b"upload:xyz",
            b"upload:\xff",
            b"",
            heartbeat_channel(7).as_bytes(),
        ] {
            assert_eq!(topic_of(other), None);
        }
    }

    #[test]
    fn a_payload_is_the_class_and_the_text() {
        let frame = some_frame("{\"é\":\"\\u0000 \u{2028}\"}");
        let written = Payload(&frame).to_redis_args();
        assert_eq!(written, [["m".as_bytes(), frame.text.as_bytes()].concat()]);
        assert_eq!(parse_frame(written[0].clone()), Some(frame));
    }

    #[test]
    fn the_text_is_not_copied() {
        let payload = b"m{\"type\":\"touched\"}".to_vec();
        let text = payload[1..].as_ptr();
        assert_eq!(parse_frame(payload).unwrap().text.as_bytes().as_ptr(), text);
    }

    #[test]
    fn other_payloads_are_not_frames() {
        for wrong in [&b""[..], b"x{}", b"\x00", b"m\xff\xfe", b"{}"] {
            assert_eq!(parse_frame(wrong.to_vec()), None);
        }
    }
}
