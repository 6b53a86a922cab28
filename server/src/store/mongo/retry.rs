use std::time::Duration;

use rand::RngExt;
use tokio::time::sleep;

use super::driver_error::{is_duplicate, is_transient};
use super::error::Failure;

/// How often an append is tried while other nodes take its sequence numbers. With the pauses, that takes about as long
/// as a call may.
const MAX_COLLISIONS: u32 = 100;

/// After this many collisions in a row it is checked whether something else than the number was taken.
const COLLISIONS_PER_LOOKUP: u32 = 4;

/// How often an insert is repeated after a lost connection or a change of the primary.
const MAX_TRANSIENT_FAILURES: u32 = 3;

/// The longest pause after a collision, in milliseconds.
const MAX_PAUSE: u64 = 8;

/// The failures of one append so far.
#[derive(Default)]
pub(super) struct Retries {
    collisions: u32,
    transient_failures: u32,
    /// Whether it must be looked up if drafts are stored: another node's append alone does not explain the last
    /// failure.
    pub is_ambiguous: bool,
}

impl Retries {
    /// Waits a little before the next try. Returns the failure if it is final or there were too many.
    pub async fn wait_after(&mut self, failure: Failure) -> Result<(), Failure> {
        match failure {
            Failure::Driver(error) if is_duplicate(&error) => {
                self.collisions += 1;
                self.is_ambiguous = self.collisions.is_multiple_of(COLLISIONS_PER_LOOKUP);
            }
            Failure::Driver(error)
                if is_transient(&error) && self.transient_failures < MAX_TRANSIENT_FAILURES =>
            {
                self.transient_failures += 1;
                self.is_ambiguous = true;
            }
            failure => return Err(failure),
        }
        if self.collisions > MAX_COLLISIONS {
            return Err(Failure::Contended);
        }
        let longest = MAX_PAUSE.min(1 << self.collisions.min(u64::BITS - 1));
        let pause = rand::rng().random_range(0..=longest);
        sleep(Duration::from_millis(pause)).await;
        Ok(())
    }
}
