//! The container of a WebP's chunks.

use app::model::MediaType;

use super::frame::Frame;
use crate::image::container_info::{Coding, ContainerInfo};
use crate::image::error::ImageError;
use crate::image::orientation::Orientation;
use crate::image::plan::Plan;

/// Describes a WebP of these frames.
pub(super) fn describe(
    (width, height): (u32, u32),
    frames: Vec<Frame>,
    plan: Plan,
) -> Result<ContainerInfo, ImageError> {
    Ok(ContainerInfo {
        width,
        height,
        orientation: Orientation::default(),
        frames: frames
            .len()
            .try_into()
            .map_err(|_| ImageError::Damaged(MediaType::WebP))?,
        memory: frames.iter().map(Frame::memory).max().unwrap_or(0),
        plan,
        coding: Coding::WebP(frames),
    })
}

/// Plans a container with these chunks.
pub(in crate::image) fn riff(chunks: Plan) -> Plan {
    let mut plan = Plan::default();
    plan.write(b"RIFF");
    plan.write(&length(4 + chunks.len()));
    plan.write(b"WEBP");
    plan.append(chunks);
    plan
}

/// Encodes a chunk's length. What is served of a container is never longer than its own 32-bit length allows.
pub(in crate::image) fn length(len: u64) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}
