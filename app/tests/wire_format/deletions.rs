//! Deletions, and what they leave.

use app::event::ServerEvent;
use app::model::{DeletedMessage, Deletion, LogEntry, Seq};
use serde_json::Value;

use super::{golden, message, moment, pins, upload_id};

fn deletion() -> Deletion {
    Deletion {
        id: "674312a0b1c2d3e4f506172a".parse().unwrap(),
        upload_id: upload_id(),
        seq: Seq::new(9),
        deletes: Seq::new(7),
        created_at: moment("2026-11-24T12:05:00.000Z"),
    }
}

#[test]
fn a_deletion_and_what_it_leaves_of_a_message() {
    pins("deletion.json", &LogEntry::Deletion(deletion()));
    let deleted: DeletedMessage = message().deleted(deletion().created_at);
    pins("deleted_message.json", &LogEntry::DeletedMessage(deleted));
}

#[test]
fn an_entry_without_a_field_of_its_kind_is_refused() {
    for (file, field) in [
        ("message.json", "content"),
        ("message.json", "authorName"),
        ("message.json", "clientMessageID"),
        ("message.json", "kind"),
        ("deletion.json", "deletes"),
        ("deletion.json", "createdAt"),
    ] {
        let mut entry: Value = serde_json::from_str(&golden(file)).unwrap();
        assert!(entry.as_object_mut().unwrap().remove(field).is_some());
        assert!(
            serde_json::from_value::<LogEntry>(entry).is_err(),
            "{field}"
        );
    }
}

#[test]
fn message_deleted() {
    let event = ServerEvent::MessageDeleted {
        upload_id: upload_id(),
        entry: deletion(),
    };
    pins("event_message_deleted.json", &event);
}

#[test]
fn upload_deleted() {
    let event = ServerEvent::UploadDeleted {
        upload_id: upload_id(),
    };
    pins("event_upload_deleted.json", &event);
}
