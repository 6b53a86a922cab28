/// Whether a room's upload still exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// As far as is known.
    Exists,
    /// A frame says that it does not, or it is to expire by now, and the store has not been asked yet.
    Doubted,
    /// It does not, and the members know. They get nothing more.
    Gone,
}
