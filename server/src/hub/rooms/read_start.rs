use crate::hub::epoch::Epoch;

/// When a read of the store began. What it brings is the store's head until the topic's subscription is interrupted,
/// or given up and taken up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) struct ReadStart {
    pub(super) epoch: Epoch,
    pub(super) room_id: u64,
    pub(super) confirmations: u64,
}
