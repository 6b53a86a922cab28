//! One log line per request, its figures, and an id by which everything that it caused can be found.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rand::RngExt;
use rand::distr::Alphanumeric;
use tracing::{Instrument, debug, info, info_span};

use super::assets::Site;
use super::metrics::HttpMetrics;
use crate::config::Config;
use crate::http::extract::client_address::Arrival;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_REQUEST_ID: usize = 64;
/// The longest method that is logged, in bytes: longer than any registered one.
const MAX_METHOD: usize = 20;

/// Gives the request an id, or keeps the one of a trusted proxy, in a span around all that it causes, and logs how it was answered. The path is logged as
/// its route: an upload's address is known to those it was given to, not to readers of logs.
pub async fn request(
    State(config): State<Arc<Config>>,
    State(site): State<Arc<Site>>,
    State(metrics): State<HttpMetrics>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let arrival = Arrival::of_request(&parts, &config);
    let given = given_id(&parts.headers).filter(|_| arrival.by_proxy);
    let id = given.unwrap_or_else(new_id);
    let id_text = id.to_str().unwrap_or_default();
    let matched = parts.extensions.get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("(none)", MatchedPath::as_str);
    let method = parts.method.clone();
    let span = info_span!(
        "request",
        id = id_text,
        method = shown(&parts.method),
        route
    );
    let is_probe = matches!(route, "/livez" | "/readyz");
    let request = Request::from_parts(parts, body);
    let started = Instant::now();
    let response = answer(&arrival, request, next, id, is_probe)
        .instrument(span)
        .await;
    // Packaged files have routes of their own, with names that change from version to version.
    let series = if site.serves(route) { "(file)" } else { route };
    metrics.answered(series, &method, response.status(), started.elapsed());
    response
}

async fn answer(
    arrival: &Arrival,
    request: Request,
    next: Next,
    id: HeaderValue,
    is_probe: bool,
) -> Response {
    let started = Instant::now();
    debug!(client = %arrival.client.ip(), "arrived");
    let mut response = next.run(request).await;
    let status = response.status().as_u16();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    if is_probe {
        debug!(status, micros, "answered");
    } else {
        info!(status, micros, "answered");
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// A method as it is logged. Clients may make up longer ones than anybody wants to read.
fn shown(method: &Method) -> &str {
    let name = method.as_str();
    let is_short = name.len() <= MAX_METHOD;
    if is_short { name } else { "(long)" }
}

/// The id that was given to the request before it came, if it is one that can be logged as it is.
fn given_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let given = headers.get(REQUEST_ID)?;
    let is_sane = (1..=MAX_REQUEST_ID).contains(&given.len())
        && given.as_bytes().iter().all(u8::is_ascii_graphic);
    is_sane.then(|| given.clone())
}

fn new_id() -> HeaderValue {
    let id: String = rand::rng()
        .sample_iter(Alphanumeric)
        .take(16)
        .map(char::from)
        .collect();
    id.parse().expect("letters and digits are a header's value")
}
