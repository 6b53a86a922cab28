//! Examples: the files that fix the formats, which the tests of the crate `app` read and write.

use serde_json::Value;

/// The contents of golden files.
macro_rules! golden {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../../../app/tests/golden/", $name, ".json")))),+]
    };
}

/// The schemas of HTTP, and the golden files that are examples of each.
pub fn of_schemas() -> impl Iterator<Item = (&'static str, Vec<Value>)> {
    let schemas = [
        ("Upload", &golden!["upload", "upload_expiring"][..]),
        (
            "NewMessage",
            &golden!["new_message", "new_message_with_place"],
        ),
        (
            "LogEntry",
            &golden![
                "message",
                "message_with_place",
                "deletion",
                "deleted_message"
            ],
        ),
        ("LogPage", &golden!["message_page"]),
        ("Problem", &golden!["problem", "problem_with_field"]),
    ];
    let read = |files: &[(_, &str)]| files.iter().map(|(_, json)| value(json)).collect();
    schemas
        .into_iter()
        .map(move |(schema, files)| (schema, read(files)))
}

/// The golden files of frames with this `type`: their names, and the frames.
pub fn of_frame(kind: &str) -> Vec<(&'static str, Value)> {
    let frames = golden![
        "command_watch",
        "command_watch_checked",
        "command_watch_anew",
        "command_watch_named",
        "command_watch_unnamed",
        "command_unwatch",
        "command_touch",
        "command_touch_pointing",
        "event_watched",
        "event_watched_reset",
        "event_message_posted",
        "event_message_deleted",
        "event_upload_deleted",
        "event_touched",
        "event_touched_pointing",
        "event_presence",
        "event_head_advanced",
        "event_refused",
    ];
    let frames = frames.map(|(name, json)| (name, value(json)));
    frames
        .into_iter()
        .filter(|(_, frame)| frame["type"] == kind)
        .collect()
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}
