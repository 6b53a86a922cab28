//! What outlives the document. A browser may forbid storage altogether, so nothing here can fail: what cannot be kept
//! is forgotten.

use leptos::prelude::window;
use web_sys::Storage;

use crate::model::{AuthorName, ClientMessageId, ShortId, UploadId};

const ALIAS: &str = "tonesa.alias";

/// The alias that was chosen, in whichever tab.
pub fn read_alias() -> Option<AuthorName> {
    read(StorageKind::Local, ALIAS)?.parse().ok()
}

/// Keeps the alias, or forgets it when it is none.
pub fn write_alias(alias: &AuthorName) {
    let is_none = *alias == AuthorName::default();
    let text = if is_none { "" } else { alias.as_str() };
    write(StorageKind::Local, ALIAS, text);
}

/// What was being written under this upload in this tab.
pub fn read_draft(upload: ShortId) -> Option<String> {
    read(StorageKind::Session, &draft(upload))
}

/// Keeps what is being written, or forgets it when it is empty.
pub fn write_draft(upload: ShortId, text: &str) {
    write(StorageKind::Session, &draft(upload), text);
}

/// The names of this tab's messages under this upload. Without storage one's own look like anyone's after a reload.
pub fn read_own(upload: UploadId) -> Vec<ClientMessageId> {
    let names = read(StorageKind::Session, &own(upload)).unwrap_or_default();
    names
        .split(' ')
        .filter_map(|name| name.parse().ok())
        .collect()
}

/// Keeps these names, with spaces between them.
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
    /// Until the browser's data are cleared.
    Local,
    /// As long as the tab is open.
    Session,
}

fn read(kind: StorageKind, name: &str) -> Option<String> {
    storage(kind)?.get_item(name).ok()?
}

fn write(kind: StorageKind, name: &str, text: &str) {
    let Some(storage) = storage(kind) else { return };
    // A full or forbidden storage costs a convenience, nothing else.
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
