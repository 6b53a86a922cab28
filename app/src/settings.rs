//! What the browser has to know of the server that it talks to.

use serde::{Deserialize, Serialize};

/// Given by the server in the context, and to the browser as JSON in the document's head.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Scheme and host of absolute addresses, without a slash at the end: `https://tonesa.example`.
    pub origin: String,
    /// The largest file that may be uploaded, in bytes.
    pub max_upload_bytes: u64,
}

/// The id of the element that holds [`Settings`].
pub const SETTINGS_ID: &str = "settings";

/// Addresses of the packaged files, with their content's hash in their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assets {
    /// The style sheet, as `/assets/tonesa-1f2e3d4c.css`.
    pub css: String,
    /// The module that loads the WASM.
    pub js: String,
    /// The WASM.
    pub wasm: String,
}
