//! Images are checked and resized in a process of their own, whose memory and time the kernel limits. A file that
//! crashes the decoder, or makes it use too much, ends that process only.
//!
//! The node starts its own program again with the hidden subcommand `inspect-image` or `resize-image`, without its
//! environment. The two communicate by lines of JSON: the child reports what the headers say (`Report::Headers`), waits
//! for a line, continues, and reports the result. If the node has died, the child reads the end of its input and exits;
//! after that point its limit of processor time ends it.

pub(super) mod process;
mod report;
pub(super) mod rlimits;
pub(super) mod run;
