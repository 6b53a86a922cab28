//! How the pages get what they show: on the server from whoever implements [`PageSource`], in the browser from the
//! HTTP API.

use std::sync::Arc;

use async_trait::async_trait;
use leptos::prelude::{SharedValue, use_context};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::{ShortId, UploadPage};

/// Why a page cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum PageError {
    /// There is no such upload.
    #[error("there is no such upload")]
    NotFound,
    /// A backend is away.
    #[error("the upload cannot be read now")]
    Unavailable,
}

/// What the server puts into Leptos' context (as [`SharedPageSource`]) for the pages to read from.
#[async_trait]
pub trait PageSource: Send + Sync {
    /// The upload and its newest 50 messages.
    async fn upload_page(&self, short_id: ShortId) -> Result<UploadPage, PageError>;
}

/// A [`PageSource`] as it is kept in Leptos' context.
pub type SharedPageSource = Arc<dyn PageSource>;

/// What every server-rendered page knows of its surroundings; the server puts it into Leptos' context.
#[derive(Debug, Clone, Default)]
pub struct PageEnvironment {
    /// Scheme and host of absolute addresses, without a slash at the end: `https://tonesa.example`.
    pub origin: String,
    /// Addresses of the packaged files.
    pub assets: Assets,
    /// The largest file that may be uploaded, in bytes.
    pub max_upload_bytes: u64,
}

/// What the browser must know of the server's settings; it travels with the first page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Scheme and host of absolute addresses, without a slash at the end: `https://tonesa.example`.
    pub origin: String,
    /// The largest file that may be uploaded, in bytes.
    pub max_upload_bytes: u64,
}

impl Site {
    /// On the server from [`PageEnvironment`], in the browser what the server said.
    pub fn shared() -> Self {
        SharedValue::new(|| Self::from(use_context::<PageEnvironment>().unwrap_or_default()))
            .into_inner()
    }
}

impl From<PageEnvironment> for Site {
    fn from(environment: PageEnvironment) -> Self {
        Self {
            origin: environment.origin,
            max_upload_bytes: environment.max_upload_bytes,
        }
    }
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
