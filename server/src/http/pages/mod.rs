//! The server-rendered pages: what they show is read here, and rendered by `app`, which knows nothing of storage.

mod document;
pub mod kept;
mod rendered;
mod security;
mod source;

use app::model::{UploadPage, UploadRef};
use app::page_data::PageError;
use app::settings::Settings;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::Method;

use self::rendered::{Page, PageContent};
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::client_address::Arrival;
use crate::http::extract::upload_path::Named;
use crate::http::state::AppState;

pub use self::security::protect;

/// `GET /`.
pub async fn show_home(
    State(node): State<AppState>,
    arrival: Arrival,
    request: Request,
) -> Response {
    show(&node, &arrival, request, PageContent::Home).await
}

/// `GET /u/{id}`. The long form of an id leads to the short one, so that a page has one address.
///
/// # Errors
/// When the store is away while it is asked for the short form.
pub async fn show_image(
    State(node): State<AppState>,
    named: Result<Named, ApiError>,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    let content = match named {
        Ok(Named(name @ UploadRef::Id(_))) => {
            let upload = node.store.upload(name);
            match Deadline::start().wait("store", upload).await {
                Ok(upload) => return Ok(permanently(&upload.short_id.to_string())),
                Err(ApiError::NotFound) => PageContent::Image(Err(PageError::NotFound)),
                Err(error) => return Err(error),
            }
        }
        Ok(Named(UploadRef::Short(short_id))) => {
            let origin = settings(&node, &arrival).origin;
            let deadline = Deadline::start();
            let page = match node.pages.last(&origin, short_id) {
                None => source::upload_page(&node, deadline, short_id).await,
                Some(last) => match newer(&node, deadline, &last).await {
                    None => return Ok(last.respond(request.headers())),
                    Some(page) => page,
                },
            };
            PageContent::Image(page)
        }
        Err(_) => PageContent::Image(Err(PageError::NotFound)),
    };
    Ok(show(&node, &arrival, request, content).await)
}

/// `GET /u/{id}/`: the page without the slash.
pub async fn without_slash(
    State(node): State<AppState>,
    named: Result<Named, ApiError>,
    arrival: Arrival,
    request: Request,
) -> Response {
    match named {
        Ok(Named(id)) => permanently(&id.to_string()),
        Err(_) => show(&node, &arrival, request, PageContent::NoPage).await,
    }
}

/// What is not there: a problem for programs, a page for everyone else.
pub async fn not_found(
    State(node): State<AppState>,
    arrival: Arrival,
    request: Request,
) -> Response {
    let path = request.uri().path();
    let is_page = !path.starts_with("/api/") && !path.starts_with("/assets/");
    match *request.method() {
        Method::GET | Method::HEAD if is_page => {
            show(&node, &arrival, request, PageContent::NoPage).await
        }
        _ => ApiError::NotFound.into_response(),
    }
}

async fn show(
    node: &AppState,
    arrival: &Arrival,
    request: Request,
    content: PageContent,
) -> Response {
    let headers = request.headers().clone();
    let pictures_from = node.blobs.serves_from();
    let settings = settings(node, arrival);
    let assets = &node.site.assets;
    let page = node
        .pages
        .show(request, assets, settings, content, pictures_from);
    page.await.respond(&headers)
}

/// What the page of an upload shows, if more was said since it was rendered last.
async fn newer(
    node: &AppState,
    deadline: Deadline,
    last: &Page,
) -> Option<Result<UploadPage, PageError>> {
    let (upload, head) = last.read.as_ref()?;
    match source::head(node, deadline, upload.id).await {
        Ok(now) if now == *head => None,
        Ok(_) => Some(source::with_messages(node, deadline, upload.clone()).await),
        Err(error) => Some(Err(error)),
    }
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
