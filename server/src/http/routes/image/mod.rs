//! The image itself, and smaller pictures of it. They never change, so that the image's id serves as the entity tag.

mod headers;
mod images;
mod range;
mod smaller;

use ::headers::{AcceptRanges, ContentLength, ContentRange, HeaderMapExt};
use app::model::{Upload, UploadRef};
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use utoipa::ToSchema;

use self::headers::{MAY_BE_EMBEDDED, etag_of, image_headers};
use self::images::{Images, Request};
use self::range::{RequestedRange, content_range, requested_range};
use self::smaller::Width;
use crate::blob::{Derived, PresignedUrl, ResponseHeaders};
use crate::http::conditions;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::request_info::RequestInfo;
use crate::http::extract::upload_path::UploadPath;
use crate::http::pictures::kinds::may_exist;
use crate::http::routes::api_description::problems::{Any, OfFile, OfUpload, OutOfBounds};

/// The bytes of a picture.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "a response streams them")]
struct Picture(Vec<u8>);

/// `GET /i/{id}`, with `?w=` a smaller picture.
#[utoipa::path(
    get,
    path = "/i/{id}",
    operation_id = "showImage",
    summary = "Read an image, or a smaller picture of it",
    params(
        ("id" = UploadRef, Path, description = "The upload, by either form of its id"),
        ("w" = inline(Option<Width>), Query, description = "How wide the picture is at most, in pixels"),
    ),
    responses(
        (status = 200, description = "The picture", content_type = "image/*", body = Picture),
        (status = 206, description = "A part of it", content_type = "image/*", body = Picture),
        (status = 304, description = "The client has it"),
        (status = 307, description = "To an S3 server that has it, or to the image of which there is no such picture"),
        Any, OfUpload, OfFile, OutOfBounds,
    ),
)]
pub async fn show(
    State(images): State<Images>,
    info: RequestInfo,
    UploadPath(id): UploadPath,
    Query(query): Query<Vec<(String, String)>>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let derived = smaller::parse_width(&query)?;
    let request = Request {
        info,
        method,
        headers,
    };
    images.serve(id, derived, request).await
}

/// `GET /i/{id}/preview.jpg`.
#[utoipa::path(
    get,
    path = "/i/{id}/preview.jpg",
    operation_id = "showPreview",
    summary = "Read a picture of an image for link previews",
    params(("id" = UploadRef, Path, description = "The upload, by either form of its id")),
    responses(
        (status = 200, description = "The picture", content_type = "image/*", body = Picture),
        (status = 206, description = "A part of it", content_type = "image/*", body = Picture),
        (status = 304, description = "The client has it"),
        (status = 307, description = "To an S3 server that has it"),
        Any, OfUpload, OfFile,
    ),
)]
pub async fn show_preview(
    State(images): State<Images>,
    info: RequestInfo,
    UploadPath(id): UploadPath,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let request = Request {
        info,
        method,
        headers,
    };
    images.serve(id, Some(Derived::Preview), request).await
}

impl Images {
    /// Serves the smaller picture, if one is asked for and there is one, or the image.
    async fn serve(
        &self,
        id: UploadRef,
        derived: Option<Derived>,
        request: Request,
    ) -> Result<Response, ApiError> {
        let upload = Deadline::start().wait("store", self.store.upload(id));
        let upload = upload.await?;
        let derived = derived.filter(|derived| may_exist(*derived, &upload.content));
        let smaller = match derived {
            Some(derived) => self.serve_smaller(&upload, derived, &request).await?,
            None => None,
        };
        if let Some(response) = smaller {
            return Ok(response);
        }
        let has_own_width = |it: Derived| it.width() >= Some(upload.content.width);
        if derived.is_some_and(has_own_width) {
            return Ok(elsewhere(&upload.content.url));
        }
        let mut response = self.serve_whole(&upload, &request).await?;
        if derived.is_some() {
            // It stands in for a smaller picture that may exist later.
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        Ok(response)
    }

    async fn serve_whole(&self, upload: &Upload, request: &Request) -> Result<Response, ApiError> {
        let deadline = Deadline::start();
        let Request {
            info,
            method,
            headers: request,
        } = request;
        let size = upload.content.size;
        let etag = etag_of(&upload.id.to_string());
        let mut headers = image_headers(upload, upload.content.media_type, "");
        headers.typed_insert(etag.clone());
        headers.typed_insert(AcceptRanges::bytes());
        if conditions::is_precondition_failed(request, &[&etag]) {
            return Err(ApiError::PreconditionFailed);
        }
        if conditions::is_not_modified(request, &etag) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        let presigned = presigned_headers(&headers);
        let url = self.blobs.presigned_url(upload.short_id, method, presigned);
        if let Some(url) = deadline.wait("blobs", url).await? {
            return Ok(redirect(&url));
        }
        // Ranges are defined for GET alone (RFC 9110, section 14.2).
        let requested = match *method {
            Method::GET => requested_range(request, &etag, size),
            _ => RequestedRange::Whole,
        };
        let (status, range) = match requested {
            RequestedRange::Whole => (StatusCode::OK, 0..size),
            RequestedRange::Part(range) => {
                headers.extend(content_range(range.clone(), size));
                (StatusCode::PARTIAL_CONTENT, range)
            }
            RequestedRange::Unsatisfiable => {
                let mut refusal = ApiError::RangeNotSatisfiable.into_response();
                let whole = ContentRange::unsatisfied_bytes(size);
                refusal.headers_mut().typed_insert(whole);
                return Ok(refusal);
            }
        };
        headers.typed_insert(ContentLength(range.end - range.start));
        if *method == Method::HEAD {
            return Ok((status, headers).into_response());
        }
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let buffered = length.min(self.blobs.read_buffer_bytes());
        let reservation = self
            .budget
            .reserve(info.client.rate_limit_key(), buffered)?;
        let bytes = self.blobs.read(upload.short_id, range);
        let bytes = reservation.hold_stream(deadline.wait("blobs", bytes).await?);
        Ok((status, headers, Body::from_stream(bytes)).into_response())
    }
}

/// Returns those of the headers that a presigned URL can set.
fn presigned_headers(headers: &HeaderMap) -> ResponseHeaders<'_> {
    let text = |name| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    ResponseHeaders {
        content_type: text(header::CONTENT_TYPE),
        content_disposition: text(header::CONTENT_DISPOSITION),
        cache_control: text(header::CACHE_CONTROL),
    }
}

/// Redirects to the image that stands in for a smaller picture of its own width: a browser that zooms in asks for the
/// image next, and then has it.
fn elsewhere(url: &str) -> Response {
    let cache_control = [(header::CACHE_CONTROL, "no-cache")];
    ([MAY_BE_EMBEDDED], cache_control, Redirect::temporary(url)).into_response()
}

/// Redirects to the URL. A cache may keep the redirect for half of the URL's lifetime, so that the URL is still valid
/// then.
fn redirect(presigned: &PresignedUrl) -> Response {
    let cache_control = format!("public, max-age={}", presigned.valid_for.as_secs() / 2);
    (
        [MAY_BE_EMBEDDED],
        [(header::CACHE_CONTROL, cache_control)],
        Redirect::temporary(&presigned.url),
    )
        .into_response()
}
