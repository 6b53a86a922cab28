//! What the state machine asks of its driver, and the time and random numbers that it is given.

use crate::event::ClientCommand;
use crate::model::{MessageId, NewMessage, Seq};

/// The time of an input, and a random number for the decisions that it leads to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Now {
    /// A monotonic clock in milliseconds, with any starting point.
    pub millis: u64,
    /// A random number of at least 0 and below 1.
    pub random: f64,
}

impl Now {
    /// Milliseconds since an earlier time; 0 if that is later.
    pub fn since(self, earlier: u64) -> u64 {
        self.millis.saturating_sub(earlier)
    }

    /// A random duration of up to `max` milliseconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the product lies between 0 and a u32"
    )]
    pub fn jitter(self, max: u32) -> u32 {
        (self.random.clamp(0.0, 1.0) * f64::from(max)) as u32
    }

    /// The delay before the next try in milliseconds. Full jitter (Brooker, "Exponential Backoff And Jitter", AWS
    /// 2015): up to half a second, doubled with each failure, ten seconds at most.
    pub fn backoff(self, failures: u32) -> u32 {
        let ceiling = 500_u32.saturating_mul(1 << failures.min(6));
        self.jitter(ceiling.min(MAX_BACKOFF_MILLIS))
    }
}

/// The longest delay between two tries, in milliseconds. With it every client has caught up within 15 s of the server's
/// return.
pub const MAX_BACKOFF_MILLIS: u32 = 10_000;

/// The timers. Each runs once at a time: starting it again replaces the running one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Until the next attempt to connect or to watch.
    Reconnect,
    /// Until an attempt, or a probe, that got no answer counts as failed.
    Timeout,
    /// Until an idle connection is probed.
    Idle,
    /// Until messages are fetched without a socket.
    Poll,
    /// Until missing messages are fetched, or fetched again.
    Backfill,
    /// Until "caught up" becomes "live".
    HideCaughtUp,
    /// Until others are told the reader's new alias.
    Rename,
    /// Until unsent messages are posted again.
    Post,
    /// Until a deletion can no longer be undone.
    Delete,
}

impl Timer {
    /// How many there are.
    pub const COUNT: usize = 9;
}

/// What the driver must do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Open a new socket in place of any other.
    Connect,
    /// Close the socket, if there is one; its later events are ignored.
    Disconnect,
    /// Hand the socket, if there is one, to the next page; its later events are ignored.
    Release,
    /// Send this over the socket.
    Send(ClientCommand),
    /// Fetch this message and those after it; the answer is `Input::Fetched`. With this one, which is listed already,
    /// it is checked that the server has the same history.
    FetchFrom(Seq),
    /// Fetch the newest messages; the answer is `Input::FetchedNewest`.
    FetchNewest,
    /// Fetch the messages before this one, and this one as in `FetchFrom`; the answer is `Input::FetchedOlder`.
    FetchUpTo(Seq),
    /// Post this; the answer is `Input::PostAnswered`.
    Post(NewMessage),
    /// Delete the message with this number and id; the answer is `Input::DeleteAnswered`.
    Delete(Seq, MessageId),
    /// Start a timer, in milliseconds.
    Start(Timer, u32),
    /// Stop a timer, if it runs.
    Stop(Timer),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_is_full_jitter_from_half_a_second_to_ten() {
        let now = |random| Now { millis: 0, random };
        let ceiling = |failures| now(0.999_999_999).backoff(failures) + 1;
        let ceilings: Vec<u32> = (0..9).map(ceiling).collect();
        assert_eq!(
            ceilings,
            [
                500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000
            ]
        );
        assert_eq!(ceiling(u32::MAX), 10_000);
        assert_eq!(now(0.0).backoff(5), 0);
    }
}
