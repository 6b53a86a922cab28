//! What handlers read from a request.

pub mod client_address;
pub mod host;
pub mod origin;
pub mod upload_path;
