//! Frames on their way to the sockets of a room.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::{Bytes, BytesMut};

use crate::broker::{DeliveryClass, Frame};
use crate::websocket;

/// A frame as its exact bytes, the same for all sockets.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// Whether it may be lost.
    pub class: DeliveryClass,
    /// The whole frame.
    pub bytes: Bytes,
    /// How many sockets it waits for.
    pub(super) holders: Arc<AtomicUsize>,
}

impl Encoded {
    /// A frame that waits for nobody yet.
    pub fn new(class: DeliveryClass, bytes: Bytes) -> Self {
        Self {
            class,
            bytes,
            holders: Arc::default(),
        }
    }
}

/// Frames that are written to many sockets together, as their exact bytes.
pub struct Batch {
    frames: Vec<Encoded>,
    bytes: Bytes,
}

impl Batch {
    /// One frame.
    pub fn one(class: DeliveryClass, bytes: Bytes) -> Self {
        Self {
            frames: vec![Encoded::new(class, bytes.clone())],
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
        let frames = frames.into_iter();
        Self {
            frames: frames
                .map(|(class, bytes)| Encoded::new(class, bytes))
                .collect(),
            bytes: bytes.freeze(),
        }
    }

    /// All of them, one after the other.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Each of them.
    pub fn frames(&self) -> &[Encoded] {
        &self.frames
    }
}

impl From<&Frame> for Batch {
    fn from(frame: &Frame) -> Self {
        Self::one(frame.class, websocket::text(&frame.text))
    }
}
