use std::collections::HashMap;

use crate::browser::clock::{Day, Zone};
use crate::live::{Delivery, Entry};
use crate::model::{ClientMessageId, Timestamp};

/// Messages by one author stand under one head line as long as they follow each other within this time.
const RUN_MS: u64 = 5 * 60 * 1_000;

/// What of an entry may change while it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Whether the author and the time stand above it.
    pub starts_run: bool,
    /// The day to name above it, when it is another one than that of the message before.
    pub new_day: Option<Day>,
    /// When the node took it, or when it was written.
    pub created_at: Timestamp,
    /// How far it got.
    pub delivery: Delivery,
}

/// The rows of these entries, by their keys.
pub fn rows(entries: &[Entry], zone: Zone) -> HashMap<ClientMessageId, Row> {
    let mut before: Option<&Entry> = None;
    let mut rows = HashMap::with_capacity(entries.len());
    for entry in entries {
        rows.insert(entry.key.clone(), row(before, entry, zone));
        before = Some(entry);
    }
    rows
}

/// The row of `entry`, which follows `before`.
pub fn row(before: Option<&Entry>, entry: &Entry, zone: Zone) -> Row {
    let day = zone.day(entry.created_at);
    let new_day = before.is_none_or(|before| zone.day(before.created_at) != day);
    Row {
        starts_run: new_day || before.is_none_or(|before| !continues(before, entry)),
        new_day: new_day.then_some(day),
        created_at: entry.created_at,
        delivery: entry.delivery.clone(),
    }
}

/// One's own unsent messages carry this tab's clock, which may run behind the server's: hence the absolute distance.
fn continues(before: &Entry, entry: &Entry) -> bool {
    let distance = before
        .created_at
        .unix_millis()
        .abs_diff(entry.created_at.unix_millis());
    before.author_name == entry.author_name && before.mine == entry.mine && distance <= RUN_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, author: &str, at: &str) -> Entry {
        Entry {
            key: key.parse().unwrap(),
            author_name: author.parse().unwrap(),
            content: "hello".parse().unwrap(),
            created_at: at.parse().unwrap(),
            mine: false,
            delivery: Delivery::Sent,
        }
    }

    /// For each entry whether it starts a run, and whether it starts a day.
    fn starts(entries: &[Entry]) -> Vec<(bool, bool)> {
        let rows = rows(entries, Zone::Utc);
        entries
            .iter()
            .map(|entry| &rows[&entry.key])
            .map(|row| (row.starts_run, row.new_day.is_some()))
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
    fn ones_own_messages_do_not_join_those_of_a_namesake() {
        let mut entries = [
            entry("a", "Anonymous", "2026-11-24T14:00:00Z"),
            entry("b", "Anonymous", "2026-11-24T14:00:01Z"),
        ];
        entries[1].mine = true;
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
