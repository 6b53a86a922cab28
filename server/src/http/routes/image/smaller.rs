//! Smaller pictures of an image.

use ::headers::{ContentLength, HeaderMapExt};
use app::model::{Content, MediaType, Upload};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures::future::ready;
use futures::{StreamExt, TryStreamExt, stream};
use http::header::{CONTENT_TYPE, HeaderMap, IF_MATCH};
use http::{Method, StatusCode};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::headers::{etag_of, image_headers};
use super::images::{Images, Request};
use crate::blob::Derived;
use crate::http::conditions;
use crate::http::error::ApiError;

/// A width that smaller pictures have, for the description of the API.
pub(super) struct Width;

impl PartialSchema for Width {
    fn schema() -> RefOr<Schema> {
        let widths = ObjectBuilder::new().schema_type(Type::Integer);
        widths.enum_values(Some(Content::SMALLER_WIDTHS)).into()
    }
}

impl ToSchema for Width {}

/// Returns the picture that `w` asks for.
pub(super) fn parse_width(query: &[(String, String)]) -> Result<Option<Derived>, ApiError> {
    let widths: Vec<_> = query.iter().filter(|(name, _)| name == "w").collect();
    let asked = match widths[..] {
        [] => return Ok(None),
        [(_, value)] => value.parse().ok(),
        _ => None,
    };
    let mut all = Derived::ALL.into_iter();
    let derived = all.find(|derived| asked.is_some() && derived.width() == asked);
    let refusal = || ApiError::field("w", "w is 640, 1280 or 2560");
    derived.map(Some).ok_or_else(refusal)
}

impl Images {
    /// Serves a smaller picture; `None` if the image is to be served instead.
    pub(super) async fn serve_smaller(
        &self,
        upload: &Upload,
        derived: Derived,
        request: &Request,
    ) -> Result<Option<Response>, ApiError> {
        let suffix = format!("-{}", derived.name());
        let etag = etag_of(&format!("{}-{}", upload.id, derived.versioned_name()));
        let headers = |media_type| {
            let mut headers: HeaderMap = image_headers(upload, media_type, &suffix);
            headers.typed_insert(etag.clone());
            headers
        };
        let is_known = conditions::is_not_modified(&request.headers, &etag);
        if is_known && !request.headers.contains_key(IF_MATCH) {
            // The type is not known here, and not needed.
            let mut headers = headers(MediaType::Jpeg);
            headers.remove(CONTENT_TYPE);
            return Ok(Some((StatusCode::NOT_MODIFIED, headers).into_response()));
        }
        let address = request.info.client.rate_limit_key();
        let Some(mut picture) = self.pictures.find(upload, derived, address).await? else {
            return Ok(None);
        };
        if conditions::is_precondition_failed(&request.headers, &[&etag]) {
            return Err(ApiError::PreconditionFailed);
        }
        // Not before: making a picture may take long, and no bytes of it are in memory meanwhile.
        let buffered = self.blobs.read_buffer_bytes();
        let reservation = self.budget.reserve(address, buffered)?;
        let first = picture.bytes.try_next().await?.unwrap_or_default();
        let media_type = if first.starts_with(b"RIFF") {
            MediaType::WebP
        } else {
            MediaType::Jpeg
        };
        let mut headers = headers(media_type);
        if is_known {
            return Ok(Some((StatusCode::NOT_MODIFIED, headers).into_response()));
        }
        headers.typed_insert(ContentLength(picture.size));
        if request.method == Method::HEAD {
            return Ok(Some(headers.into_response()));
        }
        let bytes = stream::once(ready(Ok(first))).chain(picture.bytes);
        let body = Body::from_stream(reservation.hold_stream(bytes.boxed()));
        Ok(Some((headers, body).into_response()))
    }
}
