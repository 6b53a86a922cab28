//! What must hold when everything has been repaired.

mod acknowledged;
mod blobs;
mod conversations;
mod deletions;
#[cfg(test)]
pub mod fixture;
mod leftovers;
mod lists;
mod logs;
mod uploads;

pub use acknowledged::acknowledged;
pub use blobs::{Known, blobs};
pub use conversations::{Conversations, read as conversations};
pub use deletions::deletions;
pub use leftovers::{DeletedTexts, TextStore, leftovers};
pub use lists::lists;
pub use logs::logs;
pub use uploads::uploads;

/// How many violations of one sort are reported.
const MAX_REPORTED: usize = 5;

/// The first violations, and how many more there are.
fn first_few(mut violations: Vec<String>) -> Vec<String> {
    let more = violations.len().saturating_sub(MAX_REPORTED);
    violations.truncate(MAX_REPORTED);
    if more > 0 {
        violations.push(format!("… and {more} more of this sort"));
    }
    violations
}
