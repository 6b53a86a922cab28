//! Whoever runs the service, recognised by `TONESA_ADMIN_TOKEN`.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::header;
use http::request::Parts;
use tracing::warn;

use super::author::bearer;
use super::request_info::{ClientAddress, RequestInfo};
use crate::admission::rate_limit::RateLimits;
use crate::config::{AdminToken, Config};
use crate::http::error::ApiError;

/// A request that brings the token as `Authorization: Bearer …` (RFC 6750). Others are rejected with 401, and with 404
/// if there is no token.
pub struct Admin {
    /// Where it came from.
    pub client: ClientAddress,
}

impl<S: Send + Sync> FromRequestParts<S> for Admin
where
    Arc<Config>: FromRef<S>,
    Arc<RateLimits>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (config, rate_limits) = (Arc::from_ref(state), Arc::from_ref(state));
        let client = RequestInfo::from_parts(parts, &config).client;
        let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
        let given = match (values.next(), values.next()) {
            (Some(value), None) => bearer(value),
            _ => None,
        };
        match given {
            Some(given) => {
                check_token(&config, &rate_limits, client, given)?;
            }
            // Not counted: any page can make a browser send such requests.
            None if config.admin_token.is_none() => return Err(ApiError::NotFound),
            None => return Err(ApiError::NotAdmin),
        }
        Ok(Self { client })
    }
}

/// Checks a token that a client has brought, and returns it. Each address may bring a few wrong ones per minute; then
/// it is refused whatever it brings.
///
/// # Errors
/// [`ApiError::NotAdmin`], [`ApiError::TooManyRequests`], or [`ApiError::NotFound`] if there is no token.
pub fn check_token<'c>(
    config: &'c Config,
    rate_limits: &RateLimits,
    client: ClientAddress,
    given: &str,
) -> Result<&'c AdminToken, ApiError> {
    let token = config.admin_token.as_ref().ok_or(ApiError::NotFound)?;
    let attempts = &rate_limits.wrong_tokens;
    attempts.check(client.rate_limit_key())?;
    if token.is(given) {
        return Ok(token);
    }
    attempts.charge(client.rate_limit_key(), 1);
    warn!(client = %client.ip(), "a wrong admin token");
    Err(ApiError::NotAdmin)
}
