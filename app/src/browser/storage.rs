//! Local and session storage. A browser may forbid it, so errors are ignored: nothing is stored then.

use leptos::prelude::window;
use web_sys::Storage;

use crate::model::{AuthorName, ClientMessageId, ShortId, UploadId};

const ALIAS: &str = "tonesa.alias";

/// Returns the alias that was chosen in any tab.
pub fn read_alias() -> Option<AuthorName> {
    read(StorageKind::Local, ALIAS)?.parse().ok()
}

/// Stores the alias; removes it if it is the default.
pub fn write_alias(alias: &AuthorName) {
    let is_default = *alias == AuthorName::default();
    let text = if is_default { "" } else { alias.as_str() };
    write(StorageKind::Local, ALIAS, text);
}

/// Returns this tab's draft of a message about this upload.
pub fn read_draft(upload: ShortId) -> Option<String> {
    read(StorageKind::Session, &draft(upload))
}

/// Stores the draft; removes it if it is empty.
pub fn write_draft(upload: ShortId, text: &str) {
    write(StorageKind::Session, &draft(upload), text);
}

/// Returns the client ids of this tab's messages about this upload. Without storage they are not marked as one's own
/// after a reload.
pub fn read_own(upload: UploadId) -> Vec<ClientMessageId> {
    let names = read(StorageKind::Session, &own(upload)).unwrap_or_default();
    names
        .split(' ')
        .filter_map(|name| name.parse().ok())
        .collect()
}

/// Stores these client ids, separated by spaces.
pub fn write_own(upload: UploadId, names: &str) {
    write(StorageKind::Session, &own(upload), names);
}

fn own(upload: UploadId) -> String {
    format!("tonesa.own.{upload}")
}

fn draft(upload: ShortId) -> String {
    format!("tonesa.draft.{upload}")
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
