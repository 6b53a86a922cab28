//! Formats times in the page's language: in UTC on the server, in the reader's time zone once hydrated.

use js_sys::{Array, Function, Intl::DateTimeFormat, JSON, Reflect};
use time::Month;
use wasm_bindgen::{JsCast, JsValue};

use super::hydrated::Hydrated;
use super::wall_clock::{DAY_MS, MINUTE_MS, js_date, local_now, local_offset_minutes};
use crate::model::Timestamp;
use crate::texts::{fill, texts};

/// In which time zone times are formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// UTC: the same for everyone, so that the server's page and the first render agree.
    Utc,
    /// The reader's zone.
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

    /// The time of day: `14:02 UTC`, or as the reader writes it.
    pub fn time(self, at: Timestamp) -> String {
        match self {
            Self::Utc => {
                let minutes = at.unix_millis().div_euclid(MINUTE_MS).rem_euclid(24 * 60);
                format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
            }
            Self::Local => TIME_FORMAT.with(|time| format(time, at.unix_millis())),
        }
    }

    /// Day and time without the year: `24 Nov, 14:02 UTC`, or as the reader writes it.
    pub fn short_date(self, at: Timestamp) -> String {
        match self {
            Self::Utc => {
                let (texts, date) = (texts(), at.utc().date());
                let (day, time) = (date.day().to_string(), self.time(at));
                let parts = [
                    ("day", day.as_str()),
                    ("month", name_of(texts.months_short, date.month())),
                    ("time", &time),
                ];
                fill(texts.short_date, &parts)
            }
            Self::Local => SHORT_FORMAT.with(|short| format(short, at.unix_millis())),
        }
    }

    /// The day: `24 November 2026`, or `Today`, `Yesterday`, or as the reader writes it.
    pub fn day_label(self, day: Day) -> String {
        match self {
            Self::Utc => {
                let at = Timestamp::from_unix_millis(day.0 * DAY_MS);
                at.map(long_date).unwrap_or_default()
            }
            Self::Local => local_label(day),
        }
    }
}

/// The day of this timestamp in UTC.
fn long_date(at: Timestamp) -> String {
    let (texts, date) = (texts(), at.utc().date());
    let (day, year) = (date.day().to_string(), date.year().to_string());
    let month = name_of(texts.months, date.month());
    let parts = [("day", day.as_str()), ("month", month), ("year", &year)];
    fill(texts.long_date, &parts)
}

/// The month's name in this list of twelve.
fn name_of(months: &'static str, month: Month) -> &'static str {
    let index = usize::from(u8::from(month)) - 1;
    months.split(' ').nth(index).unwrap_or_default()
}

fn local_label(Day(day): Day) -> String {
    match local_now().div_euclid(DAY_MS) - day {
        0 => texts().today.to_owned(),
        1 => texts().yesterday.to_owned(),
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

/// Formats in the page's language: as in the region of the browser's default language, if that is the same.
fn formatter(options: &str) -> Function {
    let options = JSON::parse(options).unwrap_or_default().unchecked_into();
    let default = DateTimeFormat::new(&Array::new(), &options);
    let locale = Reflect::get(&default.resolved_options(), &"locale".into());
    let locale = locale
        .ok()
        .and_then(|it| it.as_string())
        .unwrap_or_default();
    if locale.split('-').next() == Some(texts().lang) {
        default.format()
    } else {
        DateTimeFormat::new(&Array::of1(&texts().lang.into()), &options).format()
    }
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
