//! Access for clients that are other sites' pages: Cross-Origin Resource Sharing (the Fetch standard).

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::Origins;

/// How long a browser may keep the answer about what is allowed.
const MAX_AGE: Duration = Duration::from_hours(1);

/// Returns the middleware that lets pages of these origins read responses; `None` for no origins. Cookies are never
/// shared: a client says who writes by `Authorization`.
pub fn layer(origins: &Origins) -> Option<CorsLayer> {
    let allowed = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::Listed(none) if none.is_empty() => return None,
        Origins::Listed(_) => {
            let listed = origins.clone();
            AllowOrigin::predicate(move |origin: &HeaderValue, _| {
                listed.contains(origin.as_bytes())
            })
        }
    };
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([RETRY_AFTER])
        .max_age(MAX_AGE);
    Some(layer)
}
