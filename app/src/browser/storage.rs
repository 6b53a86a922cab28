//! Local and session storage. A browser may forbid it, so errors are ignored: nothing is stored then.

use js_sys::Math;
use leptos::prelude::window;
use web_sys::Storage;

use super::friendly_name::friendly_name;
use super::random;
use crate::model::{AuthorName, AuthorSecret, NewMessage, Point, ShortId};
use crate::texts::texts;

const ALIAS: &str = "tonesa.alias";
const PICTURES: &str = "tonesa.pictures";
const SECRET: &str = "tonesa.secret";

/// Returns the alias that was chosen in any tab. If there is none, a friendly one is proposed and kept, so that it is
/// the same the next time.
pub fn alias() -> AuthorName {
    let stored = || read(StorageKind::Local, ALIAS)?.parse().ok();
    stored().unwrap_or_else(|| {
        let proposed = PROPOSED_ALIAS.with(Clone::clone);
        write_alias(&proposed);
        // Another tab may have written one at the same time.
        stored().unwrap_or(proposed)
    })
}

/// Stores the alias, also the default if that was chosen.
pub fn write_alias(alias: &AuthorName) {
    write(StorageKind::Local, ALIAS, alias.as_str());
}

/// Returns this tab's draft of a message about this upload.
pub fn read_draft(upload: ShortId) -> Option<String> {
    read(StorageKind::Session, &draft(upload))
}

/// Stores the draft; removes it if it is empty.
pub fn write_draft(upload: ShortId, text: &str) {
    write(StorageKind::Session, &draft(upload), text);
}

/// Returns the place of this tab's draft.
pub fn read_place(upload: ShortId) -> Option<Point> {
    let text = read(StorageKind::Session, &place(upload))?;
    serde_json::from_str(&text).ok()
}

/// Stores the place of the draft; removes it if there is none.
pub fn write_place(upload: ShortId, at: Option<Point>) {
    let text = at.and_then(|at| serde_json::to_string(&at).ok());
    let text = text.unwrap_or_default();
    write(StorageKind::Session, &place(upload), &text);
}

/// Returns the messages about this upload that this tab has not sent yet.
pub fn read_unsent(upload: ShortId) -> Vec<NewMessage> {
    let stored = read(StorageKind::Session, &unsent(upload));
    stored
        .and_then(|json| serde_json::from_str(&json).ok())
        .unwrap_or_default()
}

/// Stores the messages that this tab has not sent yet.
pub fn write_unsent(upload: ShortId, messages: &[NewMessage]) {
    let json = match messages {
        [] => String::new(),
        _ => serde_json::to_string(messages).unwrap_or_default(),
    };
    write(StorageKind::Session, &unsent(upload), &json);
}

/// Returns the list of the pictures that were uploaded in this browser.
pub fn read_pictures() -> Option<String> {
    read(StorageKind::Local, PICTURES)
}

/// Stores that list.
pub fn write_pictures(text: &str) {
    write(StorageKind::Local, PICTURES, text);
}

thread_local! {
    // Read or made once, so that they stay the same in this tab also without storage.
    static AUTHOR_SECRET: AuthorSecret = read_or_make_secret();
    static PROPOSED_ALIAS: AuthorName =
        friendly_name(texts(), Math::random(), Math::random());
}

/// Returns this browser's author secret, which is made once.
pub fn author_secret() -> AuthorSecret {
    AUTHOR_SECRET.with(Clone::clone)
}

/// The value of the header `Authorization` for calls that write.
pub fn author_bearer() -> String {
    AUTHOR_SECRET.with(|secret| ["Bearer ", secret.expose()].concat())
}

fn read_or_make_secret() -> AuthorSecret {
    let stored = read(StorageKind::Local, SECRET).and_then(|text| text.parse().ok());
    stored.unwrap_or_else(|| {
        let secret: AuthorSecret = random::name();
        write(StorageKind::Local, SECRET, secret.expose());
        // Another tab may have written one at the same time.
        let stored = read(StorageKind::Local, SECRET).and_then(|text| text.parse().ok());
        stored.unwrap_or(secret)
    })
}

fn draft(upload: ShortId) -> String {
    format!("tonesa.draft.{upload}")
}

fn place(upload: ShortId) -> String {
    format!("tonesa.place.{upload}")
}

fn unsent(upload: ShortId) -> String {
    format!("tonesa.unsent.{upload}")
}

#[derive(Clone, Copy)]
enum StorageKind {
    /// Shared by all tabs, until the browser's data are cleared.
    Local,
    /// As long as the tab is open.
    Session,
}

fn read(kind: StorageKind, name: &str) -> Option<String> {
    storage(kind)?.get_item(name).ok()?
}

fn write(kind: StorageKind, name: &str, text: &str) {
    let Some(storage) = storage(kind) else { return };
    // Storage may be full or forbidden.
    _ = if text.is_empty() {
        storage.remove_item(name)
    } else {
        storage.set_item(name, text)
    };
}

fn storage(kind: StorageKind) -> Option<Storage> {
    match kind {
        StorageKind::Local => window().local_storage(),
        StorageKind::Session => window().session_storage(),
    }
    .ok()?
}
