//! The server-rendered pages. Their data are read here; the crate `app`, which knows nothing of storage, renders them.

mod document;
mod load;
pub mod page_cache;
mod plain;
mod rendered;
mod security;
mod settings;

use std::sync::Arc;

use app::model::{ShortId, UploadRef};
use app::page_data::PageError;
use app::texts::Language;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, Method};

use self::page_cache::PageKey;
use self::rendered::{PageContent, RenderedPage};
use self::security::OtherOrigins;
use crate::admission::response_budget::BudgetExceeded;
use crate::http::accept;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::request_info::RequestInfo;
use crate::http::extract::upload_path::UploadPath;
use crate::http::pictures::placeholder::Placeholder;
use crate::http::state::AppState;

pub use self::plain::PlainPages;
pub use self::security::set_headers_without_scripts;
pub use self::settings::settings;

/// `GET /`.
///
/// # Errors
/// When no memory is left for another answer.
pub async fn show_home(
    State(state): State<AppState>,
    info: RequestInfo,
    request: Request,
) -> Result<Response, ApiError> {
    show(&state, &info, request, PageContent::Home).await
}

/// `GET /u/{id}`. The long form of an id is redirected to the short one, so that a page has one address.
///
/// # Errors
/// When the store is unavailable while the short form is looked up, or no memory is left for another answer.
pub async fn show_image(
    State(state): State<AppState>,
    path: Result<UploadPath, ApiError>,
    info: RequestInfo,
    request: Request,
) -> Result<Response, ApiError> {
    match path {
        Ok(UploadPath(id @ UploadRef::Id(_))) => {
            let upload = state.store.upload(id);
            match Deadline::start().wait("store", upload).await {
                Ok(upload) => Ok(redirect_permanently(&upload.short_id.to_string())),
                Err(ApiError::NotFound) => show_not_found(&state, &info, request).await,
                Err(ApiError::Gone) => {
                    let content = PageContent::Image(Err(PageError::Gone));
                    show(&state, &info, request, content).await
                }
                Err(error) => Err(error),
            }
        }
        Ok(UploadPath(UploadRef::Short(short_id))) => {
            let headers = request.headers().clone();
            let page = image_page(&state, &info, request, short_id).await?;
            respond(&state, &info, &headers, &page)
        }
        Err(_) => show_not_found(&state, &info, request).await,
    }
}

/// `GET /u/{id}/`: redirects to the page without the slash.
///
/// # Errors
/// When no memory is left for another answer.
pub async fn redirect_without_slash(
    State(state): State<AppState>,
    path: Result<UploadPath, ApiError>,
    info: RequestInfo,
    request: Request,
) -> Result<Response, ApiError> {
    match path {
        Ok(UploadPath(id)) => Ok(redirect_permanently(&id.to_string())),
        Err(_) => show_not_found(&state, &info, request).await,
    }
}

/// The fallback route: a problem document for the API, a page otherwise.
///
/// # Errors
/// When no memory is left for another answer.
pub async fn not_found(
    State(state): State<AppState>,
    info: RequestInfo,
    request: Request,
) -> Result<Response, ApiError> {
    let path = request.uri().path();
    let is_page = !path.starts_with("/api/") && !path.starts_with("/assets/");
    match *request.method() {
        Method::GET | Method::HEAD if is_page => show_not_found(&state, &info, request).await,
        _ => Err(ApiError::NotFound),
    }
}

/// Shows the view that the app's router chooses for this path in the browser too, or else the page could not be
/// hydrated: an upload's page (`/u/{id}`, also with a slash at the end) or none.
async fn show_not_found(
    state: &AppState,
    info: &RequestInfo,
    request: Request,
) -> Result<Response, ApiError> {
    let path = request.uri().path();
    let id = path.strip_prefix("/u/");
    let id = id.map(|id| id.strip_suffix('/').unwrap_or(id));
    let content = if id.is_some_and(|id| !id.is_empty() && !id.contains('/')) {
        PageContent::Image(Err(PageError::NotFound))
    } else {
        PageContent::NoPage
    };
    show(state, info, request, content).await
}

async fn show(
    state: &AppState,
    info: &RequestInfo,
    request: Request,
    content: PageContent,
) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let language = accept::language(&headers);
    let page = render(state, info, language, request, content).await;
    respond(state, info, &headers, &page)
}

fn respond(
    state: &AppState,
    info: &RequestInfo,
    request: &HeaderMap,
    page: &RenderedPage,
) -> Result<Response, ApiError> {
    Ok(page.respond(
        request,
        &state.response_budget,
        info.client.rate_limit_key(),
    )?)
}

async fn render(
    state: &AppState,
    info: &RequestInfo,
    language: Language,
    request: Request,
    content: PageContent,
) -> Arc<RenderedPage> {
    let origins = OtherOrigins {
        images: state.blobs.redirect_origin(),
        frame_ancestors: Some(&state.config.frame_ancestors),
    };
    let settings = settings(state, info);
    let key = PageKey::new(settings.origin.clone(), language, &content);
    let version = content.version();
    let assets = state.site.assets.clone();
    let rendering = RenderedPage::render(request, language, assets, settings, content, origins);
    let pages = &state.pages;
    pages
        .get_or_render(info.client.rate_limit_key(), key, version, rendering)
        .await
}

/// Returns the page of an upload: the cached one, unless there are new messages or its placeholder was not made yet. Of
/// concurrent requests for a new one, one reserves the memory for reading and rendering it.
async fn image_page(
    state: &AppState,
    info: &RequestInfo,
    request: Request,
    short_id: ShortId,
) -> Result<Arc<RenderedPage>, BudgetExceeded> {
    let deadline = Deadline::start();
    let language = accept::language(request.headers());
    let key = PageKey::image(info.public_origin(&state.config), language, short_id);
    let last = state.pages.get(&key);
    let known = last.as_ref().and_then(|last| last.version.as_ref());
    if let (Some(last), Some(known)) = (&last, known) {
        let is_complete = known.placeholder != Placeholder::Expected;
        match load::log_end(state, deadline, known.upload.id).await {
            Ok(end) if end == known.end && is_complete => return Ok(Arc::clone(last)),
            Ok(_) => {}
            Err(error) => {
                let content = PageContent::Image(Err(error));
                return Ok(render(state, info, language, request, content).await);
            }
        }
    }
    let reserve = || {
        state
            .response_budget
            .reserve(info.client.rate_limit_key(), load::MAX_PAGE_BYTES)
    };
    let (request, _) = request.into_parts();
    let make = async |_reservation| {
        let page = match known {
            None => load::upload_page(state, deadline, short_id).await,
            Some(known) => {
                let (upload, placeholder) = (known.upload.clone(), known.placeholder.clone());
                load::with_messages(state, deadline, upload, placeholder).await
            }
        };
        let request = Request::from_parts(request.clone(), Body::empty());
        let content = PageContent::Image(page);
        Ok(render(state, info, language, request, content).await)
    };
    state.pages.pending().read_with(key, reserve, make).await
}

fn redirect_permanently(id: &str) -> Response {
    Redirect::permanent(&format!("/u/{id}")).into_response()
}
