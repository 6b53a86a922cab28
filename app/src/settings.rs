//! The server's settings that pages need.

use serde::{Deserialize, Serialize};

/// Provided in the context; the browser reads it from JSON in the document's head.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Scheme and host of absolute URLs, without a trailing slash: `https://tonesa.example`.
    pub origin: String,
    /// The largest file that may be uploaded, in bytes.
    pub max_upload_bytes: u64,
    /// How long an upload is kept at most, in seconds; 0 means for good.
    pub max_age_seconds: u32,
    /// Whether search engines may list the pages of uploads.
    pub is_indexed: bool,
    /// Whether somebody can read reports: there is a token for that.
    pub takes_reports: bool,
    /// How to reach whoever runs the server: an address with the scheme `mailto` or `https`.
    pub contact: Option<String>,
}

/// The id of the element that holds [`Settings`].
pub const SETTINGS_ID: &str = "settings";

/// URL paths of the packaged files, whose names contain a hash of the content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assets {
    /// The style sheet, as `/assets/tonesa-1f2e3d4c.css`.
    pub css: String,
    /// The module that loads the WASM.
    pub js: String,
    /// The WASM.
    pub wasm: String,
}
