//! The server-rendered pages: what they show is read here, and rendered by `app`, which knows nothing of storage.

mod document;
pub mod kept;
mod rendered;
mod security;
mod source;

use std::sync::Arc;

use app::model::{ShortId, UploadRef};
use app::page_data::PageError;
use app::settings::Settings;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, Method};

use self::rendered::{Page, PageContent};
use crate::admission::response_budget::BudgetExceeded;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::client_address::Arrival;
use crate::http::extract::upload_path::Named;
use crate::http::state::AppState;

pub use self::security::protect;

/// `GET /`.
///
/// # Errors
/// When there is no room for another answer.
pub async fn show_home(
    State(node): State<AppState>,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    show(&node, &arrival, request, PageContent::Home).await
}

/// `GET /u/{id}`. The long form of an id leads to the short one, so that a page has one address.
///
/// # Errors
/// When the store is away while it is asked for the short form, or there is no room for another answer.
pub async fn show_image(
    State(node): State<AppState>,
    named: Result<Named, ApiError>,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    let not_found = PageContent::Image(Err(PageError::NotFound));
    match named {
        Ok(Named(name @ UploadRef::Id(_))) => {
            let upload = node.store.upload(name);
            match Deadline::start().wait("store", upload).await {
                Ok(upload) => Ok(permanently(&upload.short_id.to_string())),
                Err(ApiError::NotFound) => show(&node, &arrival, request, not_found).await,
                Err(error) => Err(error),
            }
        }
        Ok(Named(UploadRef::Short(short_id))) => {
            let headers = request.headers().clone();
            let page = image_page(&node, &arrival, request, short_id).await?;
            respond(&node, &arrival, &headers, &page)
        }
        Err(_) => show(&node, &arrival, request, not_found).await,
    }
}

/// `GET /u/{id}/`: the page without the slash.
///
/// # Errors
/// When there is no room for another answer.
pub async fn without_slash(
    State(node): State<AppState>,
    named: Result<Named, ApiError>,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    match named {
        Ok(Named(id)) => Ok(permanently(&id.to_string())),
        Err(_) => show(&node, &arrival, request, PageContent::NoPage).await,
    }
}

/// What is not there: a problem for programs, a page for everyone else.
///
/// # Errors
/// When there is no room for another answer.
pub async fn not_found(
    State(node): State<AppState>,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    let path = request.uri().path();
    let is_page = !path.starts_with("/api/") && !path.starts_with("/assets/");
    match *request.method() {
        Method::GET | Method::HEAD if is_page => {
            show(&node, &arrival, request, PageContent::NoPage).await
        }
        _ => Err(ApiError::NotFound),
    }
}

async fn show(
    node: &AppState,
    arrival: &Arrival,
    request: Request,
    content: PageContent,
) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let page = render(node, settings(node, arrival), request, content).await;
    respond(node, arrival, &headers, &page)
}

fn respond(
    node: &AppState,
    arrival: &Arrival,
    request: &HeaderMap,
    page: &Page,
) -> Result<Response, ApiError> {
    Ok(page.respond(request, &node.answers, arrival.client.counted())?)
}

async fn render(
    node: &AppState,
    settings: Settings,
    request: Request,
    content: PageContent,
) -> Arc<Page> {
    let pictures_from = node.blobs.serves_from();
    let assets = &node.site.assets;
    let page = node
        .pages
        .show(request, assets, settings, content, pictures_from);
    page.await
}

/// The page of an upload: as it was rendered last, if nothing was said since. Of those who ask for another one at the
/// same time one takes room for what is read and rendered.
async fn image_page(
    node: &AppState,
    arrival: &Arrival,
    request: Request,
    short_id: ShortId,
) -> Result<Arc<Page>, BudgetExceeded> {
    let deadline = Deadline::start();
    let settings = settings(node, arrival);
    let last = node.pages.last(&settings.origin, short_id);
    let known = last.as_ref().and_then(|last| last.read.as_ref());
    if let (Some(last), Some((upload, head))) = (&last, known) {
        match source::head(node, deadline, upload.id).await {
            Ok(now) if now == *head => return Ok(Arc::clone(last)),
            Ok(_) => {}
            Err(error) => {
                let content = PageContent::Image(Err(error));
                return Ok(render(node, settings, request, content).await);
            }
        }
    }
    let upload = known.map(|(upload, _)| upload);
    let name = (settings.origin.clone(), short_id);
    let room = || {
        node.answers
            .reserve(arrival.client.counted(), source::MAX_BYTES)
    };
    let (request, _) = request.into_parts();
    let make = async |_room| {
        let page = match upload {
            None => source::upload_page(node, deadline, short_id).await,
            Some(upload) => source::with_messages(node, deadline, upload.clone()).await,
        };
        let request = Request::from_parts(request.clone(), Body::empty());
        Ok(render(node, settings.clone(), request, PageContent::Image(page)).await)
    };
    node.pages.making().join_with(name, room, make).await
}

fn permanently(id: &str) -> Response {
    Redirect::permanent(&format!("/u/{id}")).into_response()
}

fn settings(node: &AppState, arrival: &Arrival) -> Settings {
    let public = node.config.public_url.as_ref();
    let origin = public
        .map(|url| url.as_str().to_owned())
        .or_else(|| arrival.origin())
        .unwrap_or_else(|| format!("http://{}", node.config.address()));
    Settings {
        origin,
        max_upload_bytes: node.config.limits.upload_bytes,
    }
}
