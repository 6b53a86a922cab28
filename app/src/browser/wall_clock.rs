//! The reader's clock on the wall.

use std::time::Duration;

use js_sys::Date as JsDate;
use wasm_bindgen::JsValue;

pub const MINUTE_MS: i64 = 60_000;
pub const DAY_MS: i64 = 86_400_000;

/// The time until the reader's next midnight.
pub fn until_midnight() -> Duration {
    let millis = DAY_MS - local_now().rem_euclid(DAY_MS);
    Duration::from_millis(millis.unsigned_abs())
}

/// Milliseconds since 1970 by the reader's clock on the wall.
pub fn local_now() -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds since 1970 are far below 2^53"
    )]
    let now = JsDate::now() as i64;
    now + local_offset_minutes(now) * MINUTE_MS
}

/// How far the reader's time zone was ahead of UTC at that time, in minutes.
pub fn local_offset_minutes(millis: i64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an offset is at most a day"
    )]
    let behind = js_date(millis).get_timezone_offset() as i64;
    -behind
}

pub fn js_date(millis: i64) -> JsDate {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 are far below 2^53"
    )]
    JsDate::new(&JsValue::from_f64(millis as f64))
}
