//! JSON from clients, nodes and stores: what is read is written so that it is read as the same again.

use std::fmt::Debug;

use app::event::{ClientCommand, ServerEvent};
use app::model::{LogEntry, LogPage, NewMessage, Report, ReportReason, Upload, UploadsPage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use server::http::routes::message_form::parse_form;
use server::http::routes::messages::parse_message;
use server::http::routes::report_form::Fields;
use server::http::routes::reports::parse_report;

/// Commands of a client.
pub fn commands(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Ok(command) = ClientCommand::parse(text) {
        let written = serde_json::to_string(&command).expect("a command can be written");
        assert_eq!(ClientCommand::parse(&written).as_ref(), Ok(&command));
    }
}

/// Events of a node, as clients and other nodes read them.
pub fn events(bytes: &[u8]) {
    is_stable::<ServerEvent>(bytes);
}

/// Entries of a conversation, alone and in pages.
pub fn entries(bytes: &[u8]) {
    is_stable::<LogEntry>(bytes);
    is_stable::<LogPage>(bytes);
}

/// Bodies of requests and answers.
pub fn bodies(bytes: &[u8]) {
    let posted = parse_message(bytes);
    // What the browser writes is what the node reads.
    if let Some(message) = is_stable::<NewMessage>(bytes) {
        let written = serde_json::to_vec(&message).expect("a message can be written");
        assert_eq!(parse_message(&written), Ok(message));
    }
    if let Ok(message) = posted {
        let written = serde_json::to_vec(&message).expect("a message can be written");
        assert_eq!(is_stable(&written), Some(message));
    }
    is_stable::<Upload>(bytes);
    is_stable::<UploadsPage>(bytes);
    reports(bytes);
}

/// Reports, which come as JSON or as a form, and are stored.
fn reports(bytes: &[u8]) {
    if let Ok(reason) = parse_report(bytes) {
        check_form(&reason);
    }
    if let Ok(fields) = parse_form::<Fields>(bytes) {
        let written = json!({ "reason": fields.reason }).to_string();
        assert_eq!(parse_report(written.as_bytes()), fields.reason());
        if let Ok(reason) = fields.reason() {
            check_form(&reason);
        }
    }
    is_stable::<Report>(bytes);
}

fn check_form(reason: &ReportReason) {
    let written = serde_urlencoded::to_string([("reason", reason.as_str())]);
    let written = written.expect("a text can be written");
    let fields: Fields = parse_form(written.as_bytes()).expect("what was written can be read");
    assert_eq!(fields.reason().as_ref(), Ok(reason));
}

fn is_stable<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(bytes).ok()?;
    let written = serde_json::to_vec(&read).expect("what was read can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(again, read);
    Some(read)
}
