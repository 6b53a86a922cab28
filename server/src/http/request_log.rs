//! Logs each request, with an id that everything it causes can be found by, and records its metrics.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rand::RngExt;
use rand::distr::Alphanumeric;
use tracing::field::display;
use tracing::{Instrument, debug, info, info_span};

use super::assets::Site;
use super::metrics::HttpMetrics;
use crate::config::Config;
use crate::http::extract::request_info::RequestInfo;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_REQUEST_ID: usize = 64;
/// The longest method that is logged, in bytes: longer than any registered one.
const MAX_METHOD: usize = 20;

/// Middleware that gives the request an id, or keeps that of a trusted proxy, in a span around all that it causes, and
/// logs how it was answered. The route is logged instead of the path: an upload's address must not be readable in logs.
pub async fn log_request(
    State(site): State<Arc<Site>>,
    State(metrics): State<HttpMetrics>,
    State(config): State<Arc<Config>>,
    info: RequestInfo,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let forwarded = forwarded_id(&parts.headers).filter(|_| info.via_proxy);
    let id = forwarded.unwrap_or_else(new_id);
    let id_text = id.to_str().unwrap_or_default();
    let matched = parts.extensions.get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("(none)", MatchedPath::as_str);
    let method = parts.method.clone();
    let span = info_span!(
        "request",
        id = id_text,
        method = loggable(&parts.method),
        route
    );
    // Only where it is needed: whoever blocks addresses has to learn them.
    let is_logged = config.admin_token.is_some() && !method.is_safe();
    let logged_client = is_logged.then(|| info.client.ip());
    let is_probe = matches!(route, "/livez" | "/readyz");
    let request = Request::from_parts(parts, body);
    let started = Instant::now();
    let response = answer(&info, request, next, id, (is_probe, logged_client))
        .instrument(span)
        .await;
    // Packaged files have routes of their own, with names that change with every version.
    let series = if site.serves(route) { "(file)" } else { route };
    metrics.record(series, &method, response.status(), started.elapsed());
    response
}

async fn answer(
    info: &RequestInfo,
    request: Request,
    next: Next,
    id: HeaderValue,
    (is_probe, logged_client): (bool, Option<IpAddr>),
) -> Response {
    let started = Instant::now();
    debug!(client = %info.client.ip(), "arrived");
    let mut response = next.run(request).await;
    let status = response.status().as_u16();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    if is_probe {
        debug!(status, micros, "answered");
    } else {
        let client = logged_client.map(display);
        info!(client, status, micros, "answered");
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Returns the method as it is logged. Clients may invent very long ones.
fn loggable(method: &Method) -> &str {
    let name = method.as_str();
    let is_short = name.len() <= MAX_METHOD;
    if is_short { name } else { "(long)" }
}

/// Returns the id that the request came with, if it can be logged as it is.
fn forwarded_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let forwarded = headers.get(REQUEST_ID)?;
    let is_loggable = (1..=MAX_REQUEST_ID).contains(&forwarded.len())
        && forwarded.as_bytes().iter().all(u8::is_ascii_graphic);
    is_loggable.then(|| forwarded.clone())
}

fn new_id() -> HeaderValue {
    let id: String = rand::rng()
        .sample_iter(Alphanumeric)
        .take(16)
        .map(char::from)
        .collect();
    id.parse()
        .expect("letters and digits are a valid header value")
}
