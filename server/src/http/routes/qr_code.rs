//! The link to an upload's page as a QR code.

use std::sync::Arc;

use app::model::ShortId;
use axum::extract::State;
use axum::response::Response;
use http::header::{HeaderMap, HeaderValue, VARY};
use qrcode::QrCode;
use qrcode::render::svg;

use crate::admission::response_budget::ResponseBudget;
use crate::config::Config;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::request_info::RequestInfo;
use crate::http::extract::upload_path::UploadPath;
use crate::http::representation::Representation;
use crate::store::Store;

const SVG: HeaderValue = HeaderValue::from_static("image/svg+xml");
/// It depends on the host, and its upload may be removed: a shared cache asks again after a minute.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=3600, s-maxage=60");
/// What it depends on where no address is configured: a proxy's report of the host and scheme beside those of the
/// address, by which a cache tells responses apart anyway.
const FORWARDED: HeaderValue =
    HeaderValue::from_static("accept-encoding, x-forwarded-host, x-forwarded-proto");

/// `GET /u/{id}/qr.svg`.
pub async fn show(
    State(store): State<Arc<dyn Store>>,
    State(config): State<Arc<Config>>,
    State(budget): State<ResponseBudget>,
    info: RequestInfo,
    UploadPath(id): UploadPath,
    request: HeaderMap,
) -> Result<Response, ApiError> {
    let upload = Deadline::start().wait("store", store.upload(id)).await?;
    let code = svg(&info.public_origin(&config), upload.short_id)?;
    let reservation = budget.reserve(info.client.rate_limit_key(), code.len())?;
    let code = Representation::new(SVG, CACHE_CONTROL, code.into_bytes());
    let mut response = code.respond_with(&request, |bytes| reservation.hold(bytes.clone()));
    if config.public_url.is_none() {
        response.headers_mut().insert(VARY, FORWARDED);
    }
    Ok(response)
}

/// Draws the code: black on white in every theme, since many readers do not read inverted ones, with the margin of four
/// modules that the standard (ISO/IEC 18004) requires.
fn svg(origin: &str, short_id: ShortId) -> Result<String, ApiError> {
    // A host name has at most 253 bytes, which always fit.
    let code = QrCode::new(format!("{origin}/u/{short_id}")).map_err(|_| ApiError::Internal)?;
    Ok(code.render::<svg::Color<'_>>().build())
}
