//! Extractors: what handlers read from a request.

pub mod admin;
pub mod author;
pub mod host;
pub mod origin;
pub mod request_info;
pub mod upload_path;
