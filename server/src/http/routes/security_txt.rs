//! Whom to tell of a security problem (RFC 9116).

use std::sync::Arc;
use std::time::Duration;

use app::model::Timestamp;
use app::texts::Language;
use axum::extract::State;

use crate::clock;
use crate::config::{Config, PublicUrl};
use crate::http::error::ApiError;

/// The file's address.
pub const PATH: &str = "/.well-known/security.txt";
/// After how long it should be read again: a year at most.
const VALID_FOR: Duration = Duration::from_hours(90 * 24);

/// `GET /.well-known/security.txt`.
pub async fn show(State(config): State<Arc<Config>>) -> Result<String, ApiError> {
    let contact = config.contact.as_ref().ok_or(ApiError::NotFound)?;
    let expires = i64::try_from(VALID_FOR.as_millis()).ok();
    let expires = expires
        .and_then(|valid_for| Timestamp::from_unix_millis(clock::now().unix_millis() + valid_for))
        .ok_or(ApiError::Internal)?;
    let languages = Language::ALL.map(Language::tag).join(", ");
    let public_url = config.public_url.as_ref().map(PublicUrl::as_str);
    // It has to be an address by https.
    let public_url = public_url.filter(|url| url.starts_with("https://"));
    let canonical = public_url.map(|url| format!("Canonical: {url}{PATH}\n"));
    let canonical = canonical.unwrap_or_default();
    Ok(format!(
        "Contact: {contact}\nExpires: {expires}\nPreferred-Languages: {languages}\n{canonical}"
    ))
}
