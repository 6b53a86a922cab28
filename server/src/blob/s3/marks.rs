//! The marks of orphans: an empty object for each.

use app::model::ShortId;

/// The prefix of the marks' keys.
pub(super) const ORPHANS: &str = "orphans/";

/// Returns the key of a blob's mark.
pub(super) fn mark_of(key: ShortId) -> String {
    format!("{ORPHANS}{key}")
}
