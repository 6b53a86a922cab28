//! What the broker brings, checked before anybody is told of it: whoever can publish there can publish anything.

use std::num::NonZeroU32;
use std::time::Duration;

use app::event::ServerEvent;
use app::model::{Message, Seq};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::metrics::HubMetrics;
use crate::broker::{DeliveryClass, Frame, Topic};

/// No event is larger: a message of 2,000 characters takes 13 KiB at most.
const MAX_FRAME_BYTES: usize = 64 * 1024;
/// How often is said that something was refused, at most.
const SAID_EVERY: Duration = Duration::from_mins(1);

/// What a frame tells of its topic.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    Posted(Message),
    Head(Seq),
    Touched,
}

impl Heard {
    /// Reads an event that nodes publish, about this topic and of the right class.
    ///
    /// # Errors
    /// Why it is none, for the log.
    pub(super) fn read(topic: Topic, frame: &Frame) -> Result<Self, &'static str> {
        if frame.text.len() > MAX_FRAME_BYTES {
            return Err("it is too large");
        }
        let event = serde_json::from_str(&frame.text).map_err(|_| "it is no event")?;
        let (heard, class, of) = match event {
            ServerEvent::MessagePosted { upload_id, message } if message.upload_id == upload_id => {
                (Self::Posted(message), DeliveryClass::Message, upload_id)
            }
            ServerEvent::HeadAdvanced { upload_id, head } => {
                (Self::Head(head), DeliveryClass::Message, upload_id)
            }
            ServerEvent::Touched { upload_id, .. } => {
                (Self::Touched, DeliveryClass::Touch, upload_id)
            }
            _ => return Err("it is no event that nodes tell each other"),
        };
        if of != topic {
            return Err("it is about another upload");
        }
        if class != frame.class {
            return Err("it is of the wrong class");
        }
        Ok(heard)
    }
}

/// Counts what is refused, and says so now and then.
pub(super) struct Refusals {
    metrics: HubMetrics,
    said: DefaultDirectRateLimiter,
}

impl Refusals {
    pub(super) fn new(metrics: HubMetrics) -> Self {
        let once = NonZeroU32::MIN;
        let quota = Quota::with_period(SAID_EVERY).unwrap_or(Quota::per_minute(once));
        Self {
            metrics,
            said: RateLimiter::direct(quota),
        }
    }

    /// Something that the broker brought was not believed.
    pub(super) fn note(&self, why: &'static str) {
        self.metrics.refused();
        if self.said.check().is_ok() {
            tracing::warn!(
                why,
                "the broker brought what no node publishes: does somebody else know its address and password?"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::frames::{frame, head_frame};
    use crate::ids;

    fn of(class: DeliveryClass, text: &str) -> Frame {
        let text = text.into();
        Frame { class, text }
    }

    #[test]
    fn an_event_of_the_topic_is_heard_and_one_of_another_is_not() {
        let (topic, other) = (ids::upload_id(), ids::upload_id());
        let head = head_frame(topic, Seq::new(7));
        assert_eq!(Heard::read(topic, &head), Ok(Heard::Head(Seq::new(7))));
        assert!(Heard::read(other, &head).is_err());
        let (upload_id, points) = (topic, Vec::new());
        let touch = frame(&ServerEvent::Touched { upload_id, points });
        assert_eq!(Heard::read(topic, &touch), Ok(Heard::Touched));
        assert!(Heard::read(other, &touch).is_err());
    }

    #[test]
    fn what_no_node_publishes_is_not_heard() {
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
            assert!(Heard::read(topic, &of(class, text)).is_err(), "{text}");
        }
    }
}
