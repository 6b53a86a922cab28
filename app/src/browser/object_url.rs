//! Object URLs of local files.

use std::sync::Arc;

use web_sys::{File, Url};

/// The object URL of a local file, revoked when the last clone is dropped. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectUrl(Arc<Address>);

#[derive(Debug, PartialEq, Eq)]
struct Address(String);

impl ObjectUrl {
    /// Creates a URL for the file; it is empty if the browser refuses.
    pub fn of(file: &File) -> Self {
        let address = Url::create_object_url_with_blob(file).unwrap_or_default();
        Self(Arc::new(Address(address)))
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        // Fails only for a URL that was never created.
        _ = Url::revoke_object_url(&self.0);
    }
}
