//! What a page shows: decided by the server before it renders, read from the document by the browser, and changed there
//! when the reader goes on without a reload.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::UploadPage;

/// Why an upload's page cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum PageError {
    /// There is no such upload.
    #[error("there is no such upload")]
    NotFound,
    /// A backend is away.
    #[error("the upload cannot be read now")]
    Unavailable,
}

/// What a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shown {
    /// The way in.
    Home,
    /// An upload and its newest messages.
    Upload(Box<UploadPage>),
    /// Nothing is at this address.
    NotFound,
    /// The upload cannot be read now.
    Unavailable,
    /// The browser is fetching the upload. A server never says so.
    Loading,
}

impl Shown {
    /// The HTTP status of the page.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Home | Self::Upload(_) | Self::Loading => 200,
            Self::NotFound => 404,
            Self::Unavailable => 503,
        }
    }

    /// The document's title.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Home => "Tonesa: point at a picture, together",
            Self::Upload(_) | Self::Loading => "A shared picture · Tonesa",
            Self::NotFound => "Nothing here · Tonesa",
            Self::Unavailable => "Not reachable right now · Tonesa",
        }
    }
}

impl From<Result<UploadPage, PageError>> for Shown {
    fn from(page: Result<UploadPage, PageError>) -> Self {
        match page {
            Ok(page) => Self::Upload(Box::new(page)),
            Err(PageError::NotFound) => Self::NotFound,
            Err(PageError::Unavailable) => Self::Unavailable,
        }
    }
}

/// What the browser must know to take a page over; it stands as JSON in the document's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// What the page shows.
    pub shown: Shown,
    /// The server's settings.
    pub site: Site,
}

/// What the browser must know of the server's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Scheme and host of absolute addresses, without a slash at the end: `https://tonesa.example`.
    pub origin: String,
    /// The largest file that may be uploaded, in bytes.
    pub max_upload_bytes: u64,
}

/// What every server-rendered page knows of its surroundings.
#[derive(Debug, Clone, Default)]
pub struct PageEnvironment {
    /// Scheme and host of absolute addresses, without a slash at the end: `https://tonesa.example`.
    pub origin: String,
    /// Addresses of the packaged files.
    pub assets: Assets,
    /// The largest file that may be uploaded, in bytes.
    pub max_upload_bytes: u64,
}

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
