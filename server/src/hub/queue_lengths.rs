//! How full the queues of a hub are.

/// How full the queues of a hub are, apart from those of its sockets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueLengths {
    /// The frames that wait for a room's sockets, in the room with the most.
    pub pending: usize,
    /// The bytes of such frames, in the room with the most bytes.
    pub pending_bytes: usize,
    /// The entries that are kept of a topic, of the topic with the most.
    pub recent: usize,
    /// The topics about which the store has to be asked, in all.
    pub unconfirmed: usize,
}
