//! What the machine asks of its driver, and what they are told of time and chance.

use crate::event::ClientCommand;
use crate::model::{NewMessage, Seq};

/// When and by which chance something is decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Now {
    /// The wall clock in milliseconds; it may jump, as when a laptop wakes up.
    pub millis: u64,
    /// A random number of at least 0 and below 1.
    pub random: f64,
}

impl Now {
    /// Milliseconds since an earlier moment, 0 when the clock went back.
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

    /// Full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015): up to half a second, doubled with each
    /// failure, to ten seconds at most.
    pub fn backoff(self, failures: u32) -> u32 {
        let ceiling = 500_u32.saturating_mul(1 << failures.min(6));
        self.jitter(ceiling.min(MAX_BACKOFF_MILLIS))
    }
}

/// The longest wait between two tries, in milliseconds: whatever was away, everybody has caught up within 15 s of its
/// return.
pub const MAX_BACKOFF_MILLIS: u32 = 10_000;

/// The timers: starting one that runs starts it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Until the next try to connect or to watch.
    Reconnect,
    /// Until a try that got no answer is given up.
    Deadline,
    /// Until a line that is silent is asked whether it lives.
    Silence,
    /// Until messages are fetched without a socket.
    Poll,
    /// Until a failed fetch is tried again.
    Refetch,
    /// Until "caught up" becomes "live".
    Settle,
}

impl Timer {
    /// How many there are.
    pub const COUNT: usize = 6;
}

/// What the driver is to do, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Open a new socket, in the place of any other.
    Connect,
    /// Close the socket, if there is one; nothing more is heard of it.
    Disconnect,
    /// Give the socket, if there is one, to the page that comes next; nothing more is heard of it.
    Release,
    /// Send this over the socket.
    Send(ClientCommand),
    /// Fetch the messages after this one; the answer is `Input::Fetched`.
    FetchAfter(Seq),
    /// Fetch the messages before this one; the answer is `Input::FetchedOlder`.
    FetchBefore(Seq),
    /// Post this; the answer is `Input::Answered`.
    Post(NewMessage),
    /// Keep this text, the names of one's own messages, as long as the tab lives.
    Remember(String),
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
        let ceiling = |failures| {
            let nearly_one = Now {
                millis: 0,
                random: 0.999_999_999,
            };
            nearly_one.backoff(failures) + 1
        };
        let ceilings: Vec<u32> = (0..9).map(ceiling).collect();
        assert_eq!(
            ceilings,
            [
                500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000
            ]
        );
        assert_eq!(ceiling(u32::MAX), 10_000);
        assert_eq!(
            Now {
                millis: 0,
                random: 0.0
            }
            .backoff(5),
            0
        );
    }
}
