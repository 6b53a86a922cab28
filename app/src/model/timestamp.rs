use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A text that is not an RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a time is written as in 2026-11-24T12:00:00.123Z (RFC 3339)")]
pub struct TimestampError;

/// A time in UTC with milliseconds; RFC 3339 in JSON: `2026-11-24T12:00:00.123Z`. Stored as Unix time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The years that RFC 3339 can write: 0 to 9999.
    const WRITABLE: RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

    /// From Unix time in milliseconds; `None` beyond the years that RFC 3339 can write.
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        Self::WRITABLE.contains(&millis).then_some(Self(millis))
    }

    /// Unix time in milliseconds.
    pub fn unix_millis(self) -> i64 {
        self.0
    }

    /// The calendar date and the time of day, without milliseconds.
    pub(crate) fn utc(self) -> OffsetDateTime {
        let seconds = self.0.div_euclid(1_000);
        OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimestampError)?;
        let millis = time.unix_timestamp() * 1_000 + i64::from(time.millisecond());
        Self::from_unix_millis(millis).ok_or(TimestampError)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A format description of `time` would add 5 kB to the WASM.
        let at = self.utc();
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second) = at.to_hms();
        let milli = self.0.rem_euclid(1_000);
        let month = u8::from(month);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
        )
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(text: &str) -> Result<String, TimestampError> {
        text.parse::<Timestamp>().map(String::from)
    }

    #[test]
    fn milliseconds_survive_a_round_trip() {
        for millis in [
            0,
            1,
            999,
            1_000,
            1_795_521_600_123,
            -1,
            -999,
            -1_000,
            -1_001,
            253_402_300_799_999,
            -62_167_219_200_000,
        ] {
            let timestamp = Timestamp::from_unix_millis(millis).unwrap();
            assert_eq!(timestamp.unix_millis(), millis);
            assert_eq!(timestamp.to_string().parse(), Ok(timestamp), "{timestamp}");
        }
    }

    #[test]
    fn a_time_is_always_written_with_three_digits_of_a_second() {
        let written = |millis| Timestamp::from_unix_millis(millis).unwrap().to_string();
        assert_eq!(written(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(written(1_795_521_600_120), "2026-11-24T12:00:00.120Z");
        assert_eq!(written(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn other_zones_become_utc_and_finer_fractions_are_truncated() {
        assert_eq!(
            text_of("2026-11-24T14:00:00.1239+02:00"),
            Ok("2026-11-24T12:00:00.123Z".into())
        );
        assert_eq!(
            text_of("2026-11-24T12:00:00Z"),
            Ok("2026-11-24T12:00:00.000Z".into())
        );
        assert_eq!(
            text_of("1969-12-31T23:59:59.9999Z"),
            Ok("1969-12-31T23:59:59.999Z".into())
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for wrong in [
            "",
            "now",
            "2026-11-24",
            "2026-11-24T12:00:00",
            "2026-13-24T12:00:00Z",
            "2026-02-30T12:00:00Z",
            "1795521600123",
            "9999-12-31T23:59:59.999-23:59",
        ] {
            assert_eq!(text_of(wrong), Err(TimestampError), "{wrong:?}");
        }
    }

    #[test]
    fn years_that_rfc_3339_cannot_write_are_refused() {
        assert_eq!(Timestamp::from_unix_millis(253_402_300_800_000), None);
        assert_eq!(Timestamp::from_unix_millis(-62_167_219_200_001), None);
        assert_eq!(Timestamp::from_unix_millis(i64::MAX), None);
        assert_eq!(Timestamp::from_unix_millis(i64::MIN), None);
    }
}
