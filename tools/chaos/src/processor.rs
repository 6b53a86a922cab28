//! How much processor time the nodes use.

use std::fs;
use std::time::{Duration, Instant};

use crate::held::Held;

/// Over which time it is looked at, at least: a moment with much to do is no fault.
const WINDOW: Duration = Duration::from_secs(4);
/// A node with a few dozen sockets that uses more than this for so long goes round in circles, in hundredths of a
/// processor. (A debug build takes about 10.)
const MOST: u64 = 75;
/// Linux counts the processor time of a process in hundredths of a second.
const TICKS_PER_SECOND: u64 = 100;

/// What a node had used at some moment.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    at: Instant,
    /// As [`Held::left_alone`] told it.
    left_alone: u64,
    ticks: u64,
}

impl Used {
    /// By this node until now; `None` while it is not left alone.
    pub fn by(held: &Held) -> Option<Self> {
        let left_alone = held.left_alone()?;
        let process = held.node().process().id()?;
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        Some(Self {
            at: Instant::now(),
            left_alone,
            ticks: ticks(&stat)?,
        })
    }

    /// How much of a processor the node has used since an earlier moment, in hundredths; `None` when it was not left
    /// alone in between.
    pub fn percent_since(self, earlier: Self) -> Option<u64> {
        let millis = u64::try_from((self.at - earlier.at).as_millis()).ok()?;
        let ticks = self.ticks.checked_sub(earlier.ticks)?;
        let ran_on = self.left_alone == earlier.left_alone;
        (ran_on && millis > 0).then(|| 100 * 1_000 * ticks / (TICKS_PER_SECOND * millis))
    }
}

/// How busy a node has been.
#[derive(Debug, Clone, Copy, Default)]
pub struct Load {
    since: Option<Used>,
    /// How much of a processor it used at most over some seconds, in hundredths.
    pub most: u64,
}

impl Load {
    /// Whether that is more than a node needs.
    pub fn runs_away(self) -> bool {
        self.most > MOST
    }

    /// Looks at the node.
    pub fn look(&mut self, held: &Held) {
        let now = Used::by(held);
        let percent = now.zip(self.since).map(|(now, since)| {
            let is_long = now.at - since.at >= WINDOW;
            (is_long, now.percent_since(since))
        });
        match percent {
            Some((false, Some(_))) => {}
            Some((true, Some(percent))) => {
                self.most = self.most.max(percent);
                self.since = now;
            }
            _ => self.since = now,
        }
    }
}

/// In user mode and in the kernel: the 14th and the 15th field. The second, a name in brackets, may hold spaces.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_whatever_the_process_is_called() {
        let stat = "77 (a ) name) S 1 77 77 0 -1 4194560 900 0 5 0 120 34 0 0 20 0 9 0";
        assert_eq!(ticks(stat), Some(154));
        assert_eq!(ticks("77 (name) S 1"), None);
    }

    #[test]
    fn only_what_a_node_used_while_it_was_left_alone_counts() {
        let at = Instant::now();
        let used = |seconds, left_alone, ticks| Used {
            at: at + Duration::from_secs(seconds),
            left_alone,
            ticks,
        };
        assert_eq!(used(4, 2, 300).percent_since(used(0, 2, 100)), Some(50));
        assert_eq!(used(4, 4, 300).percent_since(used(0, 2, 100)), None);
        assert_eq!(used(0, 2, 300).percent_since(used(0, 2, 100)), None);
    }
}
