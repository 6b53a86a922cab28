//! What calendars know. A browser knows it already; the same code would bring the WASM 3 kB.

#[cfg(target_arch = "wasm32")]
use js_sys::{Array, Date};
#[cfg(not(target_arch = "wasm32"))]
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339};

#[cfg(target_arch = "wasm32")]
use super::clock::{day_name_in, js_date};

/// The moment that an RFC 3339 text names, in milliseconds since 1970 began in UTC. A browser takes other texts too,
/// but reads none that the server has not written.
#[cfg(target_arch = "wasm32")]
pub fn read_moment(text: &str) -> Option<i64> {
    let millis = Date::parse(text);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole milliseconds far below 2^53"
    )]
    millis.is_finite().then_some(millis as i64)
}

/// The moment that an RFC 3339 text names, in milliseconds since 1970 began in UTC.
#[cfg(not(target_arch = "wasm32"))]
pub fn read_moment(text: &str) -> Option<i64> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(moment.unix_timestamp() * 1_000 + i64::from(moment.millisecond()))
}

/// The moment as `2026-11-24T12:00:00.123Z`.
#[cfg(target_arch = "wasm32")]
pub fn write_moment(millis: i64) -> String {
    js_date(millis).to_iso_string().into()
}

/// The moment as `2026-11-24T12:00:00.123Z`.
#[cfg(not(target_arch = "wasm32"))]
pub fn write_moment(millis: i64) -> String {
    let seconds = millis.div_euclid(1_000);
    let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = moment.to_calendar_date();
    let (hour, minute, second) = moment.to_hms();
    let (month, milli) = (u8::from(month), millis.rem_euclid(1_000));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// The name of the day that begins at this moment, in UTC and English: `24 November 2026`.
#[cfg(target_arch = "wasm32")]
pub fn day_name(millis: i64) -> String {
    day_name_in(&Array::of1(&"en-GB".into()), millis)
}

/// The name of the day that begins at this moment, in UTC and English: `24 November 2026`.
#[cfg(not(target_arch = "wasm32"))]
pub fn day_name(millis: i64) -> String {
    let name = |date: Date| format!("{} {} {}", date.day(), date.month(), date.year());
    OffsetDateTime::from_unix_timestamp(millis.div_euclid(1_000))
        .map(|moment| name(moment.date()))
        .unwrap_or_default()
}
