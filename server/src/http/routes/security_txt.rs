//! Whom to tell of a security problem (RFC 9116).

use std::sync::Arc;
use std::time::Duration;

use app::model::Timestamp;
use app::texts::Language;
use axum::extract::State;

use crate::clock;
use crate::config::Config;
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
    let mut file =
        format!("Contact: {contact}\nExpires: {expires}\nPreferred-Languages: {languages}\n");
    let public_url = config.public_url.as_ref().map(|url| url.as_str());
    // It has to be an address by https.
    if let Some(url) = public_url.filter(|url| url.starts_with("https://")) {
        file.push_str(&format!("Canonical: {url}{PATH}\n"));
    }
    Ok(file)
}
