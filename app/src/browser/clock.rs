//! Formats times: in UTC on the server, in the reader's time zone and language once hydrated.

use js_sys::{Array, Function, Intl::DateTimeFormat, JSON};
use wasm_bindgen::{JsCast, JsValue};

use super::hydrated::Hydrated;
use super::wall_clock::{DAY_MS, MINUTE_MS, js_date, local_now, local_offset_minutes};
use crate::model::Timestamp;

/// In which time zone and language times are formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// UTC, in English: the same for everyone, so that the server's page and the first render agree.
    Utc,
    /// The reader's zone and language.
    Local,
}

/// A calendar day: days since 1 January 1970 in the zone that it was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

impl Zone {
    /// UTC in the first render, the reader's own after hydration. Tracked.
    pub fn of(hydrated: Hydrated) -> Self {
        if hydrated.get() {
            Self::Local
        } else {
            Self::Utc
        }
    }

    /// The day of this timestamp.
    pub fn day(self, at: Timestamp) -> Day {
        let offset = match self {
            Self::Utc => 0,
            Self::Local => local_offset_minutes(at.unix_millis()),
        };
        Day((at.unix_millis() + offset * MINUTE_MS).div_euclid(DAY_MS))
    }

    /// The time of day: `14:02 UTC`, or in the reader's language.
    pub fn time(self, at: Timestamp) -> String {
        match self {
            Self::Utc => {
                let minutes = at.unix_millis().div_euclid(MINUTE_MS).rem_euclid(24 * 60);
                format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
            }
            Self::Local => TIME_FORMAT.with(|time| format(time, at.unix_millis())),
        }
    }

    /// Day and time without the year: `24 Nov, 14:02 UTC`, or in the reader's language.
    pub fn short_date(self, at: Timestamp) -> String {
        match self {
            Self::Utc => {
                let date = at.utc().date();
                let month = date.month().to_string();
                format!("{} {:.3}, {}", date.day(), month, self.time(at))
            }
            Self::Local => SHORT_FORMAT.with(|short| format(short, at.unix_millis())),
        }
    }

    /// The day: `24 November 2026`, or `Today`, `Yesterday`, or in the reader's language.
    pub fn day_label(self, day: Day) -> String {
        match self {
            Self::Utc => {
                let date = Timestamp::from_unix_millis(day.0 * DAY_MS).map(|at| at.utc().date());
                date.map(|date| format!("{} {} {}", date.day(), date.month(), date.year()))
                    .unwrap_or_default()
            }
            Self::Local => local_label(day),
        }
    }
}

fn local_label(Day(day): Day) -> String {
    match local_now().div_euclid(DAY_MS) - day {
        0 => "Today".to_owned(),
        1 => "Yesterday".to_owned(),
        _ => DATE_FORMAT.with(|date| format(date, day * DAY_MS)),
    }
}

// Making one of these takes a phone as long as formatting dozens of times.
thread_local! {
    static TIME_FORMAT: Function = formatter(r#"{"timeStyle":"short"}"#);
    static SHORT_FORMAT: Function =
        formatter(r#"{"day":"numeric","month":"short","hour":"numeric","minute":"numeric"}"#);
    static DATE_FORMAT: Function =
        formatter(r#"{"day":"numeric","month":"long","year":"numeric","timeZone":"UTC"}"#);
}

/// Formats in the browser's default language; `navigator.language` may be one that `Intl` rejects.
fn formatter(options: &str) -> Function {
    let options = JSON::parse(options).unwrap_or_default().unchecked_into();
    DateTimeFormat::new(&Array::new(), &options).format()
}

fn format(formatter: &Function, millis: i64) -> String {
    let text = formatter.call1(&JsValue::UNDEFINED, &js_date(millis));
    text.ok().and_then(|it| it.as_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_formatted_in_utc() {
        assert_eq!(Zone::Utc.time(at("2026-11-24T14:02:59.999Z")), "14:02 UTC");
        assert_eq!(Zone::Utc.time(at("2026-11-24T00:30:00+02:00")), "22:30 UTC");
        assert_eq!(Zone::Utc.time(at("1969-12-31T23:59:00Z")), "23:59 UTC");
    }

    #[test]
    fn short_dates_are_formatted_in_utc() {
        assert_eq!(
            Zone::Utc.short_date(at("2026-11-24T14:02:00Z")),
            "24 Nov, 14:02 UTC"
        );
    }

    #[test]
    fn days_are_formatted_in_utc() {
        let label = |text| Zone::Utc.day_label(Zone::Utc.day(at(text)));
        assert_eq!(label("2026-11-24T23:59:59.999Z"), "24 November 2026");
        assert_eq!(label("2026-11-25T00:00:00Z"), "25 November 2026");
        assert_eq!(label("2024-02-29T12:00:00Z"), "29 February 2024");
    }
}
