//! What crosses between nodes: one byte for the delivery class, then the exact text frame. No envelope: a node passes
//! on the very bytes that it receives, once the hub has found them to be an event of the topic.

use std::io::Write;

use app::model::UploadId;
use axum::extract::ws::Utf8Bytes;
use bytes::{Buf, Bytes};
use redis::{RedisWrite, ToRedisArgs};

use crate::broker::{DeliveryClass, Frame, Topic};

/// What every channel's name begins with, so that one rule (`&upload:*`) lets a Redis user do all that a node does.
const PREFIX: &str = "upload:";

const MESSAGE: u8 = b'm';
const TOUCH: u8 = b't';

/// The channel of a topic: `upload:` and the upload's 24 hexadecimal digits.
pub fn channel_of(topic: Topic) -> String {
    format!("{PREFIX}{topic}")
}

/// A channel that is nobody's topic, for a node's canary.
pub fn canary_channel(random: u64) -> String {
    format!("{PREFIX}canary:{random:016x}")
}

/// The topic of a channel; none if it is not a topic's.
pub fn topic_of(channel: &[u8]) -> Option<Topic> {
    let id = channel.strip_prefix(PREFIX.as_bytes())?;
    std::str::from_utf8(id).ok()?.parse::<UploadId>().ok()
}

/// A frame as it is written to Redis.
pub struct Payload<'a>(pub &'a Frame);

impl ToRedisArgs for Payload<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let class = match self.0.class {
            DeliveryClass::Message => MESSAGE,
            DeliveryClass::Touch => TOUCH,
        };
        let mut argument = out.writer_for_next_arg();
        let written = argument
            .write_all(&[class])
            .and_then(|()| argument.write_all(self.0.text.as_bytes()));
        written.expect("a command in memory takes whatever is written to it");
    }
}

/// The frame of a payload, without copying its text; none if it is no frame.
pub fn frame_of(payload: Vec<u8>) -> Option<Frame> {
    let class = match *payload.first()? {
        MESSAGE => DeliveryClass::Message,
        TOUCH => DeliveryClass::Touch,
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
    fn a_channel_names_its_topic_and_nothing_else_does() {
        let topic = some_topic();
        assert_eq!(topic_of(channel_of(topic).as_bytes()), Some(topic));
        for other in [
            &b"upload:"[..],
            b"upload:xyz",
            b"upload:\xff",
            b"",
            canary_channel(7).as_bytes(),
        ] {
            assert_eq!(topic_of(other), None);
        }
    }

    #[test]
    fn a_payload_is_the_class_and_the_text_as_it_is() {
        let frame = some_frame("{\"é\":\"\\u0000 \u{2028}\"}");
        let written = Payload(&frame).to_redis_args();
        assert_eq!(written, [["m".as_bytes(), frame.text.as_bytes()].concat()]);
        assert_eq!(frame_of(written[0].clone()), Some(frame));
    }

    #[test]
    fn the_text_is_not_copied() {
        let payload = b"m{\"type\":\"touched\"}".to_vec();
        let text = payload[1..].as_ptr();
        assert_eq!(frame_of(payload).unwrap().text.as_bytes().as_ptr(), text);
    }

    #[test]
    fn what_is_no_frame_is_none() {
        for wrong in [&b""[..], b"x{}", b"\x00", b"m\xff\xfe", b"{}"] {
            assert_eq!(frame_of(wrong.to_vec()), None);
        }
    }
}
