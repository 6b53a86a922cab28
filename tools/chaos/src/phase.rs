//! What the clients are up to.

/// A part of a run, the same for all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// They write and tap.
    Writing,
    /// They send what is unsent and catch up; nothing new is begun.
    Quiet,
    /// They stop.
    Over,
}
