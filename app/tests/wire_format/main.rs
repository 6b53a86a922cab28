//! The wire format of protocol.md, pinned by the files in `golden/`: each is read into its type and written from it.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may unwrap as tests do"
)]

mod commands;
mod deletions;
mod documented;

use std::fmt::Debug;
use std::num::NonZeroU32;
use std::path::Path;

use app::event::{ClientCommand, CommandName, Refusal, RefusalCode, ServerEvent};
use app::model::{
    AuthorSecret, Content, Kind, LogEntry, LogPage, MediaType, Message, MessageId, NewMessage,
    Person, Point, Seq, ShortId, TabId, Timestamp, TouchPoint, Upload, UploadId, Viewer,
};
use app::problem::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn golden(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names and contents of all golden files.
fn golden_files() -> impl Iterator<Item = (String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    std::fs::read_dir(folder).unwrap().map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        let value = serde_json::from_str(&golden(&name)).unwrap();
        (name, value)
    })
}

#[track_caller]
fn pins<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, value: &T) {
    let text = golden(name);
    let written: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        &serde_json::from_str::<T>(&text).unwrap(),
        value,
        "reading {name}"
    );
    assert_eq!(
        serde_json::to_value(value).unwrap(),
        written,
        "writing {name}"
    );
}

fn upload_id() -> UploadId {
    "674312a0b1c2d3e4f5061728".parse().unwrap()
}

fn short_id() -> ShortId {
    "aB3dE9xZ".parse().unwrap()
}

fn message_id() -> MessageId {
    "674312a0b1c2d3e4f5061729".parse().unwrap()
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn message() -> Message {
    Message {
        id: message_id(),
        upload_id: upload_id(),
        seq: Seq::new(7),
        author_name: "".parse().unwrap(),
        content: "look here".parse().unwrap(),
        client_message_id: "0b8e4c1e-7a55-4a8e-9d2f-0f6b1f2a3c4d".parse().unwrap(),
        created_at: moment("2026-11-24T12:00:01.456Z"),
        author: None,
        at: None,
        pin: None,
    }
}

/// One with an author tag and a place.
fn placed_message() -> Message {
    let secret: AuthorSecret = "0123456789abcdef0123456789abcdef".parse().unwrap();
    Message {
        author: Some(secret.tag(upload_id())),
        at: Some(Point::new(0.25, 0.5).unwrap()),
        pin: NonZeroU32::new(3),
        ..message()
    }
}

#[test]
fn an_upload() {
    let upload = Upload {
        id: upload_id(),
        short_id: short_id(),
        kind: Kind::Image,
        content: Content {
            url: "/i/aB3dE9xZ".into(),
            media_type: MediaType::Jpeg,
            size: 482_113,
            width: 3024,
            height: 4032,
        },
        created_at: moment("2026-11-24T12:00:00.123Z"),
        expires_at: None,
    };
    pins("upload.json", &upload);
    let expires_at = Some(moment("2026-12-01T12:00:00.123Z"));
    let upload = Upload {
        expires_at,
        ..upload
    };
    pins("upload_expiring.json", &upload);
}

#[test]
fn media_types_are_written_as_in_headers() {
    for media_type in [
        MediaType::Png,
        MediaType::Jpeg,
        MediaType::Gif,
        MediaType::WebP,
    ] {
        assert_eq!(
            serde_json::to_value(media_type).unwrap(),
            media_type.as_str()
        );
    }
}

#[test]
fn a_message() {
    pins("message.json", &LogEntry::Message(message()));
    pins(
        "message_with_place.json",
        &LogEntry::Message(placed_message()),
    );
}

#[test]
fn a_message_to_be_posted() {
    let message = NewMessage {
        author_name: "Ada".parse().unwrap(),
        content: "look here\nand there".parse().unwrap(),
        client_message_id: message().client_message_id,
        at: None,
        author: None,
    };
    pins("new_message.json", &message);
    let at = placed_message().at;
    let message = NewMessage { at, ..message };
    pins("new_message_with_place.json", &message);
}

#[test]
fn a_page_of_messages() {
    let page = LogPage {
        entries: vec![message().into()],
        head: Seq::new(7),
    };
    pins("message_page.json", &page);
}

#[test]
fn watched() {
    let event = ServerEvent::Watched {
        upload_id: upload_id(),
        head: Seq::new(7),
        entries: vec![message().into()],
        reset: false,
    };
    pins("event_watched.json", &event);
    let anew = ServerEvent::Watched {
        upload_id: upload_id(),
        head: Seq::new(7),
        entries: vec![placed_message().into()],
        reset: true,
    };
    pins("event_watched_reset.json", &anew);
}

#[test]
fn message_posted() {
    let event = ServerEvent::MessagePosted {
        upload_id: upload_id(),
        message: message(),
    };
    pins("event_message_posted.json", &event);
}

#[test]
fn touched() {
    let touch = |x, y, tab: &str| TouchPoint {
        at: Point::new(x, y).unwrap(),
        tab: tab.parse::<TabId>().unwrap().tag(upload_id()),
        author: None,
        name: None,
        stroke: None,
    };
    let event = ServerEvent::Touched {
        upload_id: upload_id(),
        points: vec![touch(0.25, 0.5, "q7"), touch(0.0, 1.0, "k2-b")],
    };
    pins("event_touched.json", &event);
    let pointed = TouchPoint {
        author: viewer().author,
        name: viewer().name,
        stroke: Some("s1".parse().unwrap()),
        ..touch(0.25, 0.5, "q7")
    };
    let event = ServerEvent::Touched {
        upload_id: upload_id(),
        points: vec![pointed, touch(0.0, 1.0, "k2-b")],
    };
    pins("event_touched_pointing.json", &event);
}

fn viewer() -> Viewer {
    Viewer {
        author: placed_message().author,
        name: Some("Ada".parse().unwrap()),
    }
}

#[test]
fn presence() {
    let person = |author, name: &str| Person {
        author,
        name: name.parse().unwrap(),
    };
    let event = ServerEvent::Presence {
        upload_id: upload_id(),
        count: 4,
        people: vec![person(viewer().author, "Ada"), person(None, "Grace")],
    };
    pins("event_presence.json", &event);
}

#[test]
fn head_advanced() {
    let event = ServerEvent::HeadAdvanced {
        upload_id: upload_id(),
        head: Seq::new(8),
    };
    pins("event_head_advanced.json", &event);
}

#[test]
fn refused() {
    let event = ServerEvent::Refused(Refusal {
        command: CommandName::Touch,
        upload_id: upload_id().to_string(),
        code: RefusalCode::TooManyTouches,
        detail: "at most 20 touches a second".into(),
    });
    pins("event_refused.json", &event);
}

#[test]
fn refusals_are_coded_in_camel_case() {
    let codes = [
        (RefusalCode::NotFound, "notFound"),
        (RefusalCode::Gone, "gone"),
        (RefusalCode::TooManyWatched, "tooManyWatched"),
        (RefusalCode::NotWatched, "notWatched"),
        (RefusalCode::InvalidField, "invalidField"),
        (RefusalCode::TooManyWatches, "tooManyWatches"),
        (RefusalCode::TooManyTouches, "tooManyTouches"),
        (RefusalCode::Unavailable, "unavailable"),
    ];
    for (code, written) in codes {
        assert_eq!(serde_json::to_value(code).unwrap(), written);
    }
}

#[test]
fn a_problem() {
    let problem = Problem {
        kind: "/problems/too-large".into(),
        title: "Too large".into(),
        status: 413,
        detail: "The file is larger than 20 MB.".into(),
        field: None,
    };
    pins("problem.json", &problem);
}

#[test]
fn a_problem_with_a_field() {
    let problem = Problem {
        kind: "/problems/bad-field".into(),
        title: "Not accepted".into(),
        status: 422,
        detail: "At most 2000 characters are allowed; this has 2001.".into(),
        field: Some("content".into()),
    };
    pins("problem_with_field.json", &problem);
}

/// Adds a field that this version does not know to every object of the JSON.
fn with_unknown_fields(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, with_unknown_fields(value)))
            .chain([("ofALaterVersion".to_owned(), json!({"any": [1, null]}))])
            .collect(),
        Value::Array(items) => items.into_iter().map(with_unknown_fields).collect(),
        plain => plain,
    }
}

#[track_caller]
fn tolerates<T: DeserializeOwned + PartialEq + Debug>(name: &str) {
    let text = golden(name);
    let extended = with_unknown_fields(serde_json::from_str(&text).unwrap());
    assert_eq!(
        serde_json::from_value::<T>(extended).unwrap(),
        serde_json::from_str::<T>(&text).unwrap(),
        "{name}"
    );
}

#[test]
fn unknown_fields_are_ignored_so_that_old_tabs_survive_a_deploy() {
    tolerates::<Upload>("upload.json");
    tolerates::<Upload>("upload_expiring.json");
    tolerates::<LogPage>("message_page.json");
    for entry in [
        "message",
        "message_with_place",
        "deletion",
        "deleted_message",
    ] {
        tolerates::<LogEntry>(&format!("{entry}.json"));
    }
    tolerates::<NewMessage>("new_message_with_place.json");
    tolerates::<Problem>("problem.json");
    for event in [
        "watched",
        "watched_reset",
        "message_posted",
        "message_deleted",
        "upload_deleted",
        "touched",
        "touched_pointing",
        "presence",
        "head_advanced",
        "refused",
    ] {
        tolerates::<ServerEvent>(&format!("event_{event}.json"));
    }
    for command in [
        "watch",
        "watch_checked",
        "watch_named",
        "unwatch",
        "touch",
        "touch_pointing",
    ] {
        let name = format!("command_{command}.json");
        let extended = with_unknown_fields(serde_json::from_str(&golden(&name)).unwrap());
        assert_eq!(
            ClientCommand::parse(&extended.to_string()),
            ClientCommand::parse(&golden(&name))
        );
    }
}

#[test]
fn every_golden_file_is_pinned_by_a_test() {
    let source = [
        include_str!("main.rs"),
        include_str!("commands.rs"),
        include_str!("deletions.rs"),
    ]
    .concat();
    for (name, _) in golden_files() {
        assert!(
            source.contains(&format!("\"{name}\"")),
            "{name} is not pinned"
        );
    }
}
