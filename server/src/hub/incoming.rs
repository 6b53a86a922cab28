//! Checks what the broker delivers before it reaches a socket: anyone with access to the broker can publish anything.

use std::num::NonZeroU32;
use std::time::Duration;

use app::event::ServerEvent;
use app::model::{LogEntry, Seq, UploadId};
use governor::Quota;

use super::metrics::HubMetrics;
use super::presence::Digest;
use crate::broker::{DeliveryClass, Frame};
use crate::clock::{TimerRateLimiter, rate_limiter};

/// Larger than any event: a message of 2,000 characters takes at most 13 KiB.
const MAX_FRAME_BYTES: usize = 64 * 1024;
/// The shortest interval between two warnings about refused frames.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// The event of a frame, as its topic's room handles it.
#[derive(Debug, PartialEq)]
pub(super) enum IncomingEvent {
    Appended(LogEntry),
    Head(Seq),
    Gone,
    Touched,
}

impl IncomingEvent {
    /// Parses a frame as an event that nodes publish, about this topic and with the right class.
    ///
    /// # Errors
    /// The reason why it is not such an event, for the log.
    pub(super) fn parse(topic: UploadId, frame: &Frame) -> Result<Self, &'static str> {
        check_size(frame)?;
        let parsed = serde_json::from_str(&frame.text).map_err(|_| "the frame is not an event")?;
        let (event, class, upload) = match parsed {
            ServerEvent::MessagePosted { upload_id, message } if message.upload_id == upload_id => {
                let entry = LogEntry::Message(message);
                (Self::Appended(entry), DeliveryClass::Message, upload_id)
            }
            ServerEvent::MessageDeleted { upload_id, entry }
                if entry.upload_id == upload_id
                    && (Seq::new(1)..entry.seq).contains(&entry.deletes) =>
            {
                let entry = LogEntry::Deletion(entry);
                (Self::Appended(entry), DeliveryClass::Message, upload_id)
            }
            ServerEvent::UploadDeleted { upload_id } => {
                (Self::Gone, DeliveryClass::Message, upload_id)
            }
            ServerEvent::HeadAdvanced { upload_id, head } => {
                (Self::Head(head), DeliveryClass::Message, upload_id)
            }
            ServerEvent::Touched { upload_id, .. } => {
                (Self::Touched, DeliveryClass::Touch, upload_id)
            }
            _ => return Err("nodes do not publish such events"),
        };
        if upload != topic {
            return Err("the event is about another upload");
        }
        if class != frame.class {
            return Err("the frame has the wrong class");
        }
        Ok(event)
    }
}

/// Parses a frame as what a node says about its viewers.
///
/// # Errors
/// The reason why no node has published it, for the log.
pub(super) fn parse_digest(frame: &Frame) -> Result<Digest, &'static str> {
    check_size(frame)?;
    Digest::parse(&frame.text)
}

fn check_size(frame: &Frame) -> Result<(), &'static str> {
    if frame.text.len() > MAX_FRAME_BYTES {
        return Err("the frame is too large");
    }
    Ok(())
}

/// Counts refused frames, and logs some of them.
pub(super) struct RefusedFrames {
    metrics: HubMetrics,
    log_limit: TimerRateLimiter,
}

impl RefusedFrames {
    pub(super) fn new(metrics: HubMetrics) -> Self {
        let once = NonZeroU32::MIN;
        let quota = Quota::with_period(LOG_INTERVAL).unwrap_or(Quota::per_minute(once));
        Self {
            metrics,
            log_limit: rate_limiter(quota),
        }
    }

    /// Records that a frame was refused.
    pub(super) fn record(&self, reason: &'static str) {
        self.metrics.frame_refused();
        if self.log_limit.check().is_ok() {
            tracing::warn!(
                reason,
                "a frame from the broker was refused: does somebody else know its address and password?"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use app::model::{Deletion, Timestamp};

    use super::*;
    use crate::hub::frames::{encode, head_frame};
    use crate::ids;

    fn frame_of(class: DeliveryClass, text: &str) -> Frame {
        let text = text.into();
        Frame { class, text }
    }

    #[test]
    fn events_of_the_topic_are_parsed_and_those_of_another_are_refused() {
        let (topic, other) = (ids::upload_id(), ids::upload_id());
        let head = head_frame(topic, Seq::new(7));
        assert_eq!(
            IncomingEvent::parse(topic, &head),
            Ok(IncomingEvent::Head(Seq::new(7)))
        );
        assert!(IncomingEvent::parse(other, &head).is_err());
        let (upload_id, points) = (topic, Vec::new());
        let touch = encode(&ServerEvent::Touched { upload_id, points });
        assert_eq!(
            IncomingEvent::parse(topic, &touch),
            Ok(IncomingEvent::Touched)
        );
        assert!(IncomingEvent::parse(other, &touch).is_err());
    }

    #[test]
    fn a_deletion_is_of_an_earlier_number() {
        let topic = ids::upload_id();
        for (seq, deletes, is_fine) in [
            (5, 4, true),
            (5, 1, true),
            (5, 0, false),
            (5, 5, false),
            (1, 7, false),
        ] {
            let entry = Deletion {
                id: ids::message_id(),
                upload_id: topic,
                seq: Seq::new(seq),
                deletes: Seq::new(deletes),
                created_at: Timestamp::EPOCH,
            };
            let frame = encode(&ServerEvent::MessageDeleted {
                upload_id: topic,
                entry,
            });
            let parsed = IncomingEvent::parse(topic, &frame);
            assert_eq!(parsed.is_ok(), is_fine, "{seq} deletes {deletes}");
        }
    }

    #[test]
    fn frames_that_no_node_publishes_are_refused() {
        let topic = ids::upload_id();
        let (touch, message) = (DeliveryClass::Touch, DeliveryClass::Message);
        let head = head_frame(topic, Seq::new(7)).text;
        let touched =
            format!(r#"{{"type":"touched","data":{{"uploadID":"{topic}","points":[]}}}}"#);
        let watched = touched
            .replace("touched", "watched")
            .replace("points", "head\":1,\"messages");
        let refused = format!(
            r#"{{"type":"refused","data":{{"uploadID":"{topic}","command":"watch","code":"notFound","detail":""}}}}"#
        );
        let padded = format!("{head}{}", " ".repeat(MAX_FRAME_BYTES));
        for (class, text) in [
            (message, "<script>alert(1)</script>"),
            (message, ""),
            (message, "{}"),
            (message, &format!("{head}x")),
            (message, &padded),
            (message, &watched),
            (message, &refused),
            (message, &touched),
            (touch, &head),
            (
                touch,
                &touched.replace(
                    "points\":[",
                    "points\":[{\"x\":2,\"y\":0,\"tab\":\"aaaaaaaaaa\"}",
                ),
            ),
        ] {
            assert!(
                IncomingEvent::parse(topic, &frame_of(class, text)).is_err(),
                "{text}"
            );
        }
    }
}
