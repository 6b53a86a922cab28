//! Encoded frames that are written to the sockets of a room.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::broker::{DeliveryClass, Frame};
use crate::sync::AtomicUsize;
use crate::websocket;

/// An encoded frame; all sockets share its bytes.
#[derive(Debug, Clone)]
pub struct EncodedFrame {
    /// How it is treated under load.
    pub class: DeliveryClass,
    /// The frame with its WebSocket header.
    pub bytes: Bytes,
    /// The number of socket queues that hold it.
    pub(super) queue_count: Arc<AtomicUsize>,
}

impl EncodedFrame {
    /// Creates a frame that no queue holds yet.
    pub fn new(class: DeliveryClass, bytes: Bytes) -> Self {
        Self {
            class,
            bytes,
            queue_count: Arc::default(),
        }
    }
}

/// Frames that are written together.
pub struct Batch {
    frames: Vec<EncodedFrame>,
    bytes: Bytes,
}

impl Batch {
    /// Creates a batch of one frame.
    pub fn single(class: DeliveryClass, bytes: Bytes) -> Self {
        Self {
            frames: vec![EncodedFrame::new(class, bytes.clone())],
            bytes,
        }
    }

    /// Creates a batch of frames in this order.
    pub fn new(frames: Vec<(DeliveryClass, Bytes)>) -> Self {
        if let [(class, bytes)] = &*frames {
            return Self::single(*class, bytes.clone());
        }
        let length = frames.iter().map(|(_, frame)| frame.len()).sum();
        let mut bytes = BytesMut::with_capacity(length);
        for (_, frame) in &frames {
            bytes.extend_from_slice(frame);
        }
        let frames = frames.into_iter();
        Self {
            frames: frames
                .map(|(class, bytes)| EncodedFrame::new(class, bytes))
                .collect(),
            bytes: bytes.freeze(),
        }
    }

    /// The bytes of all frames, one after the other.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub fn frames(&self) -> &[EncodedFrame] {
        &self.frames
    }
}

impl From<&Frame> for Batch {
    fn from(frame: &Frame) -> Self {
        Self::single(frame.class, websocket::text(&frame.text))
    }
}
