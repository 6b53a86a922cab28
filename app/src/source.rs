//! What a page shows: decided by the server before it renders, and read from the document by the browser.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::UploadPage;

/// Why an upload's page cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PageError {
    /// There is no such upload.
    #[error("there is no such upload")]
    NotFound,
    /// A backend is away.
    #[error("the upload cannot be read now")]
    Unavailable,
}

/// What a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The way in.
    Home,
    /// An upload and its newest messages.
    Upload(Box<UploadPage>),
    /// Nothing is at this address.
    NotFound,
    /// The upload cannot be read now.
    Unavailable,
}

impl Shown {
    /// The HTTP status of the page.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Home | Self::Upload(_) => 200,
            Self::NotFound => 404,
            Self::Unavailable => 503,
        }
    }

    /// The document's title.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Home => "Tonesa: point at a picture, together",
            Self::Upload(_) => "A shared picture · Tonesa",
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

/// The id of the element that holds a page's start as JSON.
pub const START_ID: &str = "start";

/// What the home page is made from, on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeStart {
    /// The largest file that may be uploaded, in bytes.
    pub max_upload_bytes: u64,
    /// What takes over the page that comes next.
    pub next: Program,
}

/// What an upload's page is made from, on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadStart {
    /// The upload and its newest messages.
    pub page: UploadPage,
    /// Scheme and host of absolute addresses, without a slash at the end: `https://tonesa.example`.
    pub origin: String,
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
    /// What takes over the home page.
    pub home: Program,
    /// What takes over an upload's page.
    pub upload: Program,
}

/// A page's program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The module that loads the WASM.
    pub js: String,
    /// The WASM.
    pub wasm: String,
}
