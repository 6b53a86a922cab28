//! Who is signed in to the pages, by a cookie.
//!
//! The cookie holds the time until which it is valid, signed by a key that is made of the token: nodes need not share
//! anything else, and another token ends all sessions.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use axum::response::Redirect;
use axum_extra::extract::cookie::{Cookie, Key, SameSite, SignedCookieJar};
use http::HeaderMap;
use http::request::Parts;

use crate::clock;
use crate::config::{AdminToken, Config};
use crate::http::extract::request_info::{ClientAddress, RequestInfo};

/// The pages' folder, outside of which browsers do not send the cookie.
const PATH: &str = "/admin";
const COOKIE: &str = "tonesa-admin";
/// How long a session lasts.
const LIFETIME: Duration = Duration::from_hours(12);

/// A request of somebody who has signed in. Others are led to the form for that.
pub(super) struct Session {
    /// Where it came from.
    pub client: ClientAddress,
}

impl<S: Send + Sync> FromRequestParts<S> for Session
where
    Arc<Config>: FromRef<S>,
{
    type Rejection = Redirect;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Redirect> {
        let config = Arc::<Config>::from_ref(state);
        let client = RequestInfo::from_parts(parts, &config).client;
        let token = config.admin_token.as_ref();
        let is_signed_in = token.is_some_and(|token| is_signed_in(parts, token));
        let session = is_signed_in.then_some(Self { client });
        session.ok_or_else(|| Redirect::to("/admin/sign-in"))
    }
}

fn is_signed_in(parts: &Parts, token: &AdminToken) -> bool {
    let cookies = SignedCookieJar::from_headers(&parts.headers, key(token));
    let until = cookies.get(COOKIE).map(|cookie| cookie.value().parse());
    until.is_some_and(|until: Result<i64, _>| until.is_ok_and(|it| it > clock::now().unix_millis()))
}

/// The cookie of a new session.
pub(super) fn begin(token: &AdminToken, info: &RequestInfo) -> SignedCookieJar {
    let lifetime = i64::try_from(LIFETIME.as_millis()).unwrap_or(i64::MAX);
    let until = clock::now().unix_millis().saturating_add(lifetime);
    SignedCookieJar::new(key(token)).add(
        Cookie::build((COOKIE, until.to_string()))
            .path(PATH)
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(info.https),
    )
}

/// Makes the browser that sent this request forget its session.
pub(super) fn end(token: &AdminToken, request: &HeaderMap) -> SignedCookieJar {
    let cookies = SignedCookieJar::from_headers(request, key(token));
    cookies.remove(Cookie::build(COOKIE).path(PATH))
}

fn key(token: &AdminToken) -> Key {
    Key::from(&token.derive("admin session"))
}
