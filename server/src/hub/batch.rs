//! Frames on their way to the sockets of a room.

use bytes::{Bytes, BytesMut};

use crate::broker::{DeliveryClass, Frame};
use crate::websocket;

/// Frames that are written to many sockets together, as their exact bytes.
pub struct Batch {
    frames: Vec<(DeliveryClass, Bytes)>,
    bytes: Bytes,
}

impl Batch {
    /// One frame.
    pub fn one(class: DeliveryClass, bytes: Bytes) -> Self {
        Self {
            frames: vec![(class, bytes.clone())],
            bytes,
        }
    }

    /// Several, in this order.
    pub fn of(frames: Vec<(DeliveryClass, Bytes)>) -> Self {
        if let [(class, bytes)] = &*frames {
            return Self::one(*class, bytes.clone());
        }
        let length = frames.iter().map(|(_, frame)| frame.len()).sum();
        let mut bytes = BytesMut::with_capacity(length);
        for (_, frame) in &frames {
            bytes.extend_from_slice(frame);
        }
        Self {
            frames,
            bytes: bytes.freeze(),
        }
    }

    /// All of them, one after the other.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Each of them.
    pub fn frames(&self) -> &[(DeliveryClass, Bytes)] {
        &self.frames
    }
}

impl From<&Frame> for Batch {
    fn from(frame: &Frame) -> Self {
        Self::one(frame.class, websocket::text(&frame.text))
    }
}
