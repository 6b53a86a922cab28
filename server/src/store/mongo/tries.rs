use std::time::Duration;

use rand::RngExt;
use tokio::time::sleep;

use super::error::Failure;
use super::told::{is_duplicate, may_pass};

/// How often an append is tried while other nodes take the numbers that it wanted. With the pauses that is about as
/// long as a call may take.
const MAX_COLLISIONS: u32 = 100;

/// So many collisions after each other are looked into, in case it was not the number that was taken.
const COLLISIONS_PER_LOOK: u32 = 4;

/// How often an insert is tried anew after a lost connection or a change of the primary.
const MAX_LOSSES: u32 = 3;

/// The longest pause after a collision, in milliseconds.
const MAX_PAUSE: u64 = 8;

/// What went wrong in an append so far.
#[derive(Default)]
pub(super) struct Tries {
    collisions: u32,
    losses: u32,
    /// Whether a moved head does not explain the last failure.
    pub is_doubtful: bool,
}

impl Tries {
    /// Waits a little, unless the failure is final or there were too many.
    pub async fn pause_after(&mut self, failure: Failure) -> Result<(), Failure> {
        match failure {
            Failure::Driver(error) if is_duplicate(&error) => {
                self.collisions += 1;
                self.is_doubtful = self.collisions.is_multiple_of(COLLISIONS_PER_LOOK);
            }
            Failure::Driver(error) if may_pass(&error) && self.losses < MAX_LOSSES => {
                self.losses += 1;
                self.is_doubtful = true;
            }
            failure => return Err(failure),
        }
        if self.collisions > MAX_COLLISIONS {
            return Err(Failure::Outrun);
        }
        let longest = MAX_PAUSE.min(1 << self.collisions.min(u64::BITS - 1));
        let pause = rand::rng().random_range(0..=longest);
        sleep(Duration::from_millis(pause)).await;
        Ok(())
    }
}
