//! Content with its encodings and entity tags, and answers to conditional requests for it.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use headers::{ETag, HeaderMapExt};
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

use crate::http::accept::quality;
use crate::http::conditions;
use crate::http::error::ApiError;

/// A text or file and its encodings, each with a strong entity tag of its own (RFC 9110, section 8.8.3). Clones share
/// the bytes.
#[derive(Clone)]
pub struct Representation {
    content_type: HeaderValue,
    cache_control: HeaderValue,
    plain: Variant,
    brotli: Option<Variant>,
    gzip: Option<Variant>,
}

#[derive(Clone)]
struct Variant {
    bytes: Bytes,
    etag: ETag,
    encoding: Option<HeaderValue>,
}

impl Representation {
    /// Makes one of this content type, with this `Cache-Control`.
    pub fn new(content_type: HeaderValue, cache_control: HeaderValue, plain: Vec<u8>) -> Self {
        Self {
            content_type,
            cache_control,
            plain: Variant::new(plain, None),
            brotli: None,
            gzip: None,
        }
    }

    /// Adds the brotli encoding.
    #[must_use]
    pub fn with_brotli(mut self, brotli: Option<Vec<u8>>) -> Self {
        self.brotli = brotli.map(|bytes| Variant::new(bytes, Some("br")));
        self
    }

    /// Adds the gzip encoding.
    #[must_use]
    pub fn with_gzip(mut self, gzip: Option<Vec<u8>>) -> Self {
        self.gzip = gzip.map(|bytes| Variant::new(bytes, Some("gzip")));
        self
    }

    /// Returns how many bytes all encodings have together.
    pub fn size(&self) -> usize {
        self.variants().map(|variant| variant.bytes.len()).sum()
    }

    fn variants(&self) -> impl Iterator<Item = &Variant> {
        let variants = [Some(&self.plain), self.brotli.as_ref(), self.gzip.as_ref()];
        variants.into_iter().flatten()
    }

    /// Returns the response to a request with these headers: 304 if the client has it, 412 if it wants another version.
    pub fn respond(&self, request: &HeaderMap) -> Response {
        self.respond_with(request, Bytes::clone)
    }

    /// Like [`Self::respond`], with the body that `hold` makes of the bytes.
    pub fn respond_with(
        &self,
        request: &HeaderMap,
        hold: impl FnOnce(&Bytes) -> Bytes,
    ) -> Response {
        let etags: Vec<_> = self.variants().map(|variant| &variant.etag).collect();
        if conditions::is_precondition_failed(request, &etags) {
            return ApiError::PreconditionFailed.into_response();
        }
        let variant = self.select_variant(request);
        let mut response = if conditions::is_not_modified(request, &variant.etag) {
            (StatusCode::NOT_MODIFIED, self.headers()).into_response()
        } else {
            self.send(variant, hold)
        };
        response.headers_mut().typed_insert(variant.etag.clone());
        response
    }

    /// Like [`Self::respond_with`], for an error page: conditions do not apply to it (RFC 9110, section 13.2.1), and it
    /// has no entity tag.
    pub fn respond_unconditionally(
        &self,
        request: &HeaderMap,
        hold: impl FnOnce(&Bytes) -> Bytes,
    ) -> Response {
        self.send(self.select_variant(request), hold)
    }

    fn send(&self, variant: &Variant, hold: impl FnOnce(&Bytes) -> Bytes) -> Response {
        let mut headers = self.headers();
        headers.insert(header::CONTENT_TYPE, self.content_type.clone());
        if let Some(encoding) = &variant.encoding {
            headers.insert(header::CONTENT_ENCODING, encoding.clone());
        }
        (headers, Body::from(hold(&variant.bytes))).into_response()
    }

    /// The headers that responses with and without the content have in common.
    fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([
            (header::CACHE_CONTROL, self.cache_control.clone()),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ])
    }

    /// Returns the smallest encoding that the client accepts at all: all of them are lossless.
    fn select_variant(&self, request: &HeaderMap) -> &Variant {
        let takes = |names: &[&str]| quality(request, &header::ACCEPT_ENCODING, names) > 0;
        let brotli = self.brotli.as_ref().filter(|_| takes(&["br", "*"]));
        let gzip = || self.gzip.as_ref().filter(|_| takes(&["gzip", "*"]));
        brotli.or_else(gzip).unwrap_or(&self.plain)
    }
}

impl Variant {
    fn new(bytes: Vec<u8>, encoding: Option<&'static str>) -> Self {
        let hash = Sha256::digest(&bytes);
        let hash = hash
            .iter()
            .take(8)
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        Self {
            // Without unused capacity.
            bytes: bytes.into_boxed_slice().into(),
            etag: format!("\"{hash:016x}\"")
                .parse()
                .expect("quoted hexadecimal digits are an entity tag"),
            encoding: encoding.map(HeaderValue::from_static),
        }
    }
}
