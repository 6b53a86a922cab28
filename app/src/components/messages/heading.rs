use crate::browser::clock::{Day, Zone};
use crate::live::{ListedMessage, RowState};

/// Messages of one author that follow each other within this time share a head line.
const RUN_MS: u64 = 5 * 60 * 1_000;

/// The heading above a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heading {
    /// The day, when it is another one than that of the message before.
    pub new_day: Option<Day>,
    /// Whether author and time are shown: the message is the first of a run by one author.
    pub starts_run: bool,
}

impl Heading {
    /// The heading of a message; it follows from the message before it.
    pub fn of(RowState { entry, previous }: &RowState, zone: Zone) -> Self {
        let day = zone.day(entry.created_at);
        let previous = previous.as_ref();
        let new_day = previous.is_none_or(|previous| zone.day(previous.created_at) != day);
        Self {
            new_day: new_day.then_some(day),
            starts_run: new_day || previous.is_none_or(|previous| !continues(previous, entry)),
        }
    }
}

/// Unsent messages have the time of this computer's clock, which may be behind the server's, so the distance is
/// absolute.
fn continues(previous: &ListedMessage, entry: &ListedMessage) -> bool {
    let distance = previous
        .created_at
        .unix_millis()
        .abs_diff(entry.created_at.unix_millis());
    previous.author_name == entry.author_name
        && previous.author == entry.author
        && previous.mine == entry.mine
        && distance <= RUN_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Delivery;
    use crate::model::Seq;

    fn entry(key: &str, author: &str, at: &str) -> ListedMessage {
        ListedMessage {
            key: key.parse().unwrap(),
            seq: Seq::ZERO,
            author_name: author.parse().unwrap(),
            content: "hello".parse().unwrap(),
            created_at: at.parse().unwrap(),
            author: None,
            at: None,
            pin: None,
            mine: false,
            delivery: Delivery::Sent,
        }
    }

    /// For each message whether it starts a run, and whether it starts a day.
    fn starts(entries: &[ListedMessage]) -> Vec<(bool, bool)> {
        let heading = |(index, entry): (usize, &ListedMessage)| {
            let previous = index.checked_sub(1).map(|index| entries[index].clone());
            let entry = entry.clone();
            Heading::of(&RowState { entry, previous }, Zone::Utc)
        };
        let headings = entries.iter().enumerate().map(heading);
        headings
            .map(|it| (it.starts_run, it.new_day.is_some()))
            .collect()
    }

    #[test]
    fn messages_by_one_author_within_minutes_share_a_head_line() {
        let entries = [
            entry("a", "Kim", "2026-11-24T14:00:00Z"),
            entry("b", "Kim", "2026-11-24T14:04:59Z"),
            entry("c", "Kim", "2026-11-24T14:09:59Z"),
            entry("d", "Kim", "2026-11-24T14:15:00Z"),
            entry("e", "Mira", "2026-11-24T14:15:01Z"),
        ];
        let expected = [
            (true, true),
            (false, false),
            (false, false),
            (true, false),
            (true, false),
        ];
        assert_eq!(starts(&entries), expected);
    }

    #[test]
    fn midnight_starts_a_day_and_a_run() {
        let entries = [
            entry("a", "Kim", "2026-11-24T23:59:00Z"),
            entry("b", "Kim", "2026-11-25T00:01:00Z"),
        ];
        assert_eq!(starts(&entries), [(true, true), (true, true)]);
    }

    #[test]
    fn own_messages_do_not_continue_a_run_of_the_same_name() {
        let mut entries = [
            entry("a", "Anonymous", "2026-11-24T14:00:00Z"),
            entry("b", "Anonymous", "2026-11-24T14:00:01Z"),
        ];
        entries[1].mine = true;
        assert_eq!(starts(&entries), [(true, true), (true, false)]);
    }

    #[test]
    fn namesakes_have_runs_of_their_own() {
        let mut entries = [
            entry("a", "Kim", "2026-11-24T14:00:00Z"),
            entry("b", "Kim", "2026-11-24T14:00:01Z"),
        ];
        entries[0].author = Some("aaaaaaaaaa".parse().unwrap());
        entries[1].author = Some("bbbbbbbbbb".parse().unwrap());
        assert_eq!(starts(&entries), [(true, true), (true, false)]);
    }

    #[test]
    fn a_clock_that_runs_behind_does_not_split_a_run() {
        let entries = [
            entry("a", "Kim", "2026-11-24T14:02:00Z"),
            entry("b", "Kim", "2026-11-24T14:01:00Z"),
        ];
        assert_eq!(starts(&entries), [(true, true), (false, false)]);
    }
}
