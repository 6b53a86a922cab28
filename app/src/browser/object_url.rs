//! Addresses of files that the browser holds.

use std::sync::Arc;

use web_sys::{File, Url};

/// The address of a local file, for as long as anyone holds it. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectUrl(Arc<Address>);

#[derive(Debug, PartialEq, Eq)]
struct Address(String);

impl ObjectUrl {
    /// The file's address; empty when the browser gives none.
    pub fn of(file: &File) -> Self {
        let address = Url::create_object_url_with_blob(file).unwrap_or_default();
        Self(Arc::new(Address(address)))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        // Fails only for an address that was never given.
        _ = Url::revoke_object_url(&self.0);
    }
}
