//! Encodes events as frames.

use app::event::ServerEvent;
use app::model::{Seq, UploadId};

use super::presence::Viewers;
use crate::broker::{DeliveryClass, Frame};

/// Encodes the announcement of a conversation's head.
pub(super) fn head_frame(upload_id: UploadId, head: Seq) -> Frame {
    encode(&ServerEvent::HeadAdvanced { upload_id, head })
}

/// Encodes who watches an upload.
pub(super) fn presence_frame(upload_id: UploadId, viewers: Viewers) -> Frame {
    let Viewers { count, people } = viewers;
    encode(&ServerEvent::Presence {
        upload_id,
        count,
        people,
    })
}

/// Encodes an event as a frame with its delivery class.
pub(super) fn encode(event: &ServerEvent) -> Frame {
    let class = match event {
        ServerEvent::Touched { .. } => DeliveryClass::Touch,
        ServerEvent::Presence { .. } => DeliveryClass::Presence,
        _ => DeliveryClass::Message,
    };
    let text = serde_json::to_string(event)
        .expect("an event has only keys and values that JSON can write");
    Frame {
        class,
        text: text.into(),
    }
}
