//! The secret by which an author is recognised.

use app::model::AuthorSecret;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};

use crate::http::error::ApiError;

/// The secret that a request brings as `Authorization: Bearer …` (RFC 6750), if it brings one; a malformed one, or
/// another scheme, is rejected with 401. Every handler of a call that writes has it.
#[derive(Debug)]
pub struct Author(pub Option<AuthorSecret>);

impl<S: Send + Sync> FromRequestParts<S> for Author {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        secret(&parts.headers).map(Self)
    }
}

fn secret(headers: &HeaderMap) -> Result<Option<AuthorSecret>, ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => parse(value).map(Some).ok_or(ApiError::Unauthorized),
        (Some(_), Some(_)) => Err(ApiError::Unauthorized),
    }
}

fn parse(value: &HeaderValue) -> Option<AuthorSecret> {
    bearer(value)?.parse().ok()
}

/// Returns what follows `Bearer` (RFC 6750).
pub(super) fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| token.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdefABCD-_";

    fn read(values: &[&str]) -> Result<Option<String>, ApiError> {
        let values = values.iter().map(|value| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (header::AUTHORIZATION, value)
        });
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(name, value);
        }
        let secret = secret(&headers)?;
        Ok(secret.map(|secret| secret.expose().to_owned()))
    }

    #[test]
    fn a_secret_is_read_and_none_is_fine() {
        assert_eq!(read(&[]), Ok(None));
        for scheme in ["Bearer", "bearer", "BEARER", "Bearer  "] {
            let value = format!("{scheme} {SECRET}");
            assert_eq!(read(&[&value]), Ok(Some(SECRET.to_owned())), "{scheme}");
        }
    }

    #[test]
    fn malformed_secrets_and_other_schemes_are_rejected() {
        let bearer = format!("Bearer {SECRET}");
        for values in [
            &[""][..],
            &["Bearer"],
            &["Bearer "],
            &[SECRET],
            &["Bearer 0123456789abcdefABCD-"],
            &[&format!("Bearer {}", "x".repeat(87))],
            &[&format!("{bearer}=")],
            &[&format!("{bearer} {SECRET}")],
            &["Bearer 0123456789abcdefABCDé_"],
            &["Basic dXNlcjpwYXNzd29yZC1vZi11c2Vy"],
            &[&bearer, &bearer],
        ] {
            assert_eq!(read(values), Err(ApiError::Unauthorized), "{values:?}");
        }
    }
}
