//! What must be so when everything has been repaired.

mod acknowledged;
mod conversation;
#[cfg(test)]
pub mod fixture;
mod nodes;
mod pictures;
mod transcripts;

pub use acknowledged::acknowledged;
pub use conversation::{Conversations, read as conversations};
pub use nodes::nodes;
pub use pictures::pictures;
pub use transcripts::{Seen, Verdict, transcripts};

/// How many contradictions of one sort are told.
const MOST_TOLD: usize = 5;

/// The first contradictions, and how many more there are.
fn told(mut faults: Vec<String>) -> Vec<String> {
    let more = faults.len().saturating_sub(MOST_TOLD);
    faults.truncate(MOST_TOLD);
    if more > 0 {
        faults.push(format!("… and {more} more of this sort"));
    }
    faults
}
