//! What other sites need to show an image instead of its link (oembed.com).

use std::sync::Arc;

use app::model::{Content, Seq, Upload, UploadRef, fitted_size};
use app::texts::Language;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderMap};
use serde::Serialize;
use utoipa::ToSchema;

use super::api_description::problems::{Any, OfUpload, OtherFormat, OutOfBounds};
use crate::admission::rate_limit::RateLimits;
use crate::blob::Derived;
use crate::config::Config;
use crate::http::accept;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::request_info::RequestInfo;
use crate::http::pictures::kinds::may_exist;
use crate::store::{Select, Store};

/// An image as oEmbed describes it.
#[derive(Debug, Serialize, ToSchema)]
struct Photo {
    version: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    url: String,
    width: u32,
    height: u32,
    provider_name: &'static str,
    provider_url: String,
}

/// What a site asks for.
struct Embedding<'a> {
    /// The address of an image page.
    url: &'a str,
    /// The largest width and height that the site has room for.
    room: (u32, u32),
}

/// `GET /oembed?url=`.
///
/// # Errors
/// 404 for an address that is not of an image page here; 422 for an invalid parameter; 429 as for all addresses that
/// name an upload; 501 for another format than JSON.
#[utoipa::path(
    get,
    path = "/oembed",
    operation_id = "embed",
    summary = "Ask how to show an image instead of its link (oEmbed)",
    params(
        ("url" = String, Query, description = "The address of an image's page"),
        ("maxwidth" = Option<u32>, Query, minimum = 1, description = "How much room there is, in pixels"),
        ("maxheight" = Option<u32>, Query, minimum = 1, description = "How much room there is, in pixels"),
        ("format" = Option<String>, Query, pattern = "^json$", description = "`json`, which is the only one"),
    ),
    responses((status = 200, body = Photo, description = "The photo"), Any, OfUpload, OutOfBounds, OtherFormat),
)]
pub async fn show(
    State(store): State<Arc<dyn Store>>,
    State(config): State<Arc<Config>>,
    State(rate_limits): State<Arc<RateLimits>>,
    info: RequestInfo,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Embedding { url, room } = parse_query(&query)?;
    let origin = info.public_origin(&config);
    let upload = upload_of(url, &origin).ok_or(ApiError::NotFound)?;
    let misses = rate_limits.misses_of(info.client.rate_limit_key());
    misses.check(upload)?;
    let language = accept::language(&headers);
    match describe(store.as_ref(), upload, language).await {
        Ok((upload, title)) => {
            let (path, (width, height)) = picture(&upload.content, room);
            let photo = Photo {
                version: "1.0",
                kind: "photo",
                title,
                url: format!("{origin}{path}"),
                width,
                height,
                provider_name: "Tonesa",
                provider_url: origin,
            };
            let headers = [
                (header::CONTENT_LANGUAGE, language.tag()),
                (header::VARY, header::ACCEPT_LANGUAGE.as_str()),
            ];
            Ok((headers, Json(photo)).into_response())
        }
        Err(error) => {
            if error == ApiError::NotFound {
                misses.record(upload);
            }
            Err(error)
        }
    }
}

fn parse_query(query: &[(String, String)]) -> Result<Embedding<'_>, ApiError> {
    let value = |name| {
        let mut named = query.iter().filter(|(it, _)| it == name);
        named.next().map(|(_, value)| value.as_str())
    };
    if value("format").is_some_and(|format| format != "json") {
        return Err(ApiError::NotImplemented);
    }
    let side = |name| match value(name) {
        None => Ok(u32::MAX),
        Some(text) => {
            let side = text.parse().ok().filter(|side| *side > 0);
            side.ok_or_else(|| ApiError::field(name, "a number of pixels"))
        }
    };
    let room = (side("maxwidth")?, side("maxheight")?);
    let url = value("url").ok_or_else(|| ApiError::field("url", "this field is missing"))?;
    Ok(Embedding { url, room })
}

/// Returns the upload whose page has this address, which may lead to one of its messages.
fn upload_of(url: &str, origin: &str) -> Option<UploadRef> {
    let id = url.strip_prefix(origin)?.strip_prefix("/u/")?;
    let id = id.split(['?', '#']).next()?;
    id.strip_suffix('/').unwrap_or(id).parse().ok()
}

/// Reads the upload, and what its page is called.
async fn describe(
    store: &dyn Store,
    upload: UploadRef,
    language: Language,
) -> Result<(Upload, String), ApiError> {
    let deadline = Deadline::start();
    let upload = deadline.wait("store", store.upload(upload)).await?;
    let first = store.entries(upload.id, Select::After(Seq::ZERO), 1);
    let first = deadline.wait("store", first).await?;
    let first = first.messages().next().map(|message| &message.content);
    let title = app::upload_title(first, upload.created_at, language);
    Ok((upload, title))
}

/// Returns the path and the size of the largest picture that there is room for: the image, or a smaller picture of it.
/// If there is room for none, the size is that at which the smallest one has to be shown.
fn picture(image: &Content, room: (u32, u32)) -> (String, (u32, u32)) {
    let size = (image.width, image.height);
    let widths = Derived::ALL.into_iter().rev();
    let widths = widths.filter(|derived| may_exist(*derived, image));
    let smaller = widths.filter_map(Derived::width).map(|width| {
        let path = format!("{}?w={width}", image.url);
        (path, fitted_size(size, (width, u32::MAX)))
    });
    let mut chosen = (image.url.clone(), size);
    for picture in smaller {
        if fits(chosen.1, room) {
            break;
        }
        chosen = picture;
    }
    let (path, size) = chosen;
    (path, fitted_size(size, room))
}

fn fits((width, height): (u32, u32), room: (u32, u32)) -> bool {
    width <= room.0 && height <= room.1
}

#[cfg(test)]
mod tests {
    use app::model::MediaType;

    use super::*;

    #[test]
    fn the_largest_picture_that_there_is_room_for_is_chosen() {
        let all = u32::MAX;
        for (size, media_type, room, path, expected) in [
            (
                (4000, 3000),
                MediaType::Jpeg,
                (all, all),
                "/i/a",
                (4000, 3000),
            ),
            (
                (4000, 3000),
                MediaType::Jpeg,
                (4000, 3000),
                "/i/a",
                (4000, 3000),
            ),
            (
                (4000, 3000),
                MediaType::Jpeg,
                (3999, all),
                "/i/a?w=2560",
                (2560, 1920),
            ),
            (
                (4000, 3000),
                MediaType::Jpeg,
                (all, 1000),
                "/i/a?w=1280",
                (1280, 960),
            ),
            (
                (4000, 3000),
                MediaType::Jpeg,
                (1000, 1000),
                "/i/a?w=640",
                (640, 480),
            ),
            // There is none that is so small.
            (
                (4000, 3000),
                MediaType::Jpeg,
                (320, 320),
                "/i/a?w=640",
                (320, 240),
            ),
            (
                (1000, 5000),
                MediaType::Png,
                (all, 1000),
                "/i/a?w=640",
                (200, 1000),
            ),
            ((600, 400), MediaType::Png, (300, all), "/i/a", (300, 200)),
            (
                (4000, 3000),
                MediaType::Gif,
                (1000, all),
                "/i/a",
                (1000, 750),
            ),
        ] {
            let image = Content {
                url: "/i/a".to_owned(),
                media_type,
                size: 1,
                width: size.0,
                height: size.1,
            };
            let chosen = picture(&image, room);
            assert_eq!(chosen, (path.to_owned(), expected), "{size:?} {room:?}");
        }
    }

    #[test]
    fn only_addresses_of_image_pages_here_name_an_upload() {
        let origin = "https://tonesa.example";
        for url in [
            "https://tonesa.example/u/aB3dE9xZ",
            "https://tonesa.example/u/aB3dE9xZ/",
            "https://tonesa.example/u/aB3dE9xZ#m7",
            "https://tonesa.example/u/aB3dE9xZ?from=chat#m7",
        ] {
            assert_eq!(upload_of(url, origin), "aB3dE9xZ".parse().ok(), "{url}");
        }
        for url in [
            "",
            "aB3dE9xZ",
            "/u/aB3dE9xZ",
            "https://tonesa.example",
            "https://tonesa.example/i/aB3dE9xZ",
            "https://tonesa.example/u/aB3dE9xZ/qr.svg",
            "https://tonesa.example/u/",
            "https://tonesa.example.evil.example/u/aB3dE9xZ",
            "https://evil.example/u/aB3dE9xZ",
            "http://tonesa.example/u/aB3dE9xZ",
        ] {
            assert_eq!(upload_of(url, origin), None, "{url}");
        }
    }
}
