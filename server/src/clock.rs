//! The node's wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use app::model::Timestamp;

/// The current time, to the millisecond.
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_1970.as_millis())
        .ok()
        .and_then(Timestamp::from_unix_millis)
        .expect("the clock shows a year before 10,000")
}
