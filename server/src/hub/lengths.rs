//! How long the queues of a node are.

/// The lengths of a node's queues, apart from those of its sockets: of each kind the longest one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lengths {
    /// The frames that wait to be written to the sockets of a room.
    pub pending: usize,
    /// Their bytes.
    pub pending_bytes: usize,
    /// The entries that are kept of a topic.
    pub recent: usize,
    /// The topics about which the store has to be asked.
    pub unconfirmed: usize,
}
