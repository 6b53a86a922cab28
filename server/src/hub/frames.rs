//! Events as the frames that all sockets get.

use app::event::ServerEvent;
use app::model::Seq;

use crate::broker::{DeliveryClass, Frame, Topic};

/// The frame that tells how far a conversation has come.
pub(super) fn head_frame(upload_id: Topic, head: Seq) -> Frame {
    frame(&ServerEvent::HeadAdvanced { upload_id, head })
}

/// The frame of an event, encoded for all who get it.
pub(super) fn frame(event: &ServerEvent) -> Frame {
    let class = match event {
        ServerEvent::Touched { .. } => DeliveryClass::Touch,
        _ => DeliveryClass::Message,
    };
    let text = serde_json::to_string(event)
        .expect("an event has only keys and values that JSON can write");
    Frame {
        class,
        text: text.into(),
    }
}
