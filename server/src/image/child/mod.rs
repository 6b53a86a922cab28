//! Pictures are checked in a process of their own, whose memory and time the kernel limits: a decoder that a file makes
//! run wild ends that process and nothing else.
//!
//! The node starts its own program again with the hidden subcommand `inspect-image`, without its environment. The two
//! speak in lines of JSON: the child reports what the picture's headers ask for (`Report::Surveyed`), waits for a
//! line that lets it go on, and reports the result. A child whose node has died reads the end of its input there and
//! leaves; later its limit of processor time ends it.

pub(super) mod process;
mod report;
pub(super) mod rlimits;
pub(super) mod run;
