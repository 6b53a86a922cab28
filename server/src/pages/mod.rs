//! The server-rendered pages: what they show is read here, and rendered by `app`, which knows nothing of storage.

mod kept;
mod rendered;
mod security;
mod source;

use std::sync::Arc;

use app::model::{ShortId, UploadRef};
use app::source::{PageEnvironment, Shown};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, Method};

use self::rendered::Page;
use crate::address::Arrival;
use crate::deadline::Deadline;
use crate::problem::ApiError;
use crate::routes::Named;
use crate::state::{AppState, Node};

pub use self::kept::Pages;
pub use self::security::protect;

/// `GET /`.
pub async fn show_home(
    State(node): State<AppState>,
    arrival: Arrival,
    request: HeaderMap,
) -> Response {
    page(&node, &arrival, Shown::Home, &request).await
}

/// `GET /u/{id}`. The long form of an id leads to the short one, so that a page has one address.
///
/// # Errors
/// When the store is away while it is asked for the short form.
pub async fn show_upload(
    State(node): State<AppState>,
    named: Result<Named, ApiError>,
    arrival: Arrival,
    request: HeaderMap,
) -> Result<Response, ApiError> {
    let environment = environment(&node, &arrival);
    let page = match named {
        Ok(Named(name @ UploadRef::Id(_))) => {
            let upload = node.backends.store.upload(name);
            match Deadline::start().wait("store", upload).await {
                Ok(upload) => return Ok(permanently(&upload.short_id.to_string())),
                Err(ApiError::NotFound) => show(&node, environment, Shown::NotFound).await,
                Err(error) => return Err(error),
            }
        }
        Ok(Named(UploadRef::Short(short_id))) => upload_page(&node, environment, short_id).await,
        Err(_) => show(&node, environment, Shown::NotFound).await,
    };
    Ok(page.respond(&request))
}

/// `GET /u/{id}/`: the page without the slash.
pub async fn without_slash(
    State(node): State<AppState>,
    named: Result<Named, ApiError>,
    arrival: Arrival,
    request: HeaderMap,
) -> Response {
    match named {
        Ok(Named(id)) => permanently(&id.to_string()),
        Err(_) => page(&node, &arrival, Shown::NotFound, &request).await,
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
            page(&node, &arrival, Shown::NotFound, request.headers()).await
        }
        _ => ApiError::NotFound.into_response(),
    }
}

async fn page(node: &Node, arrival: &Arrival, shown: Shown, request: &HeaderMap) -> Response {
    let page = show(node, environment(node, arrival), shown).await;
    page.respond(request)
}

async fn show(node: &Node, environment: PageEnvironment, shown: Shown) -> Arc<Page> {
    let pictures_from = node.backends.blobs.serves_from();
    node.pages.show(environment, shown, pictures_from).await
}

/// The page of an upload: as it was rendered last, if nothing was said since.
async fn upload_page(node: &Node, environment: PageEnvironment, short_id: ShortId) -> Arc<Page> {
    let deadline = Deadline::start();
    let last = node.pages.last(&environment.origin, short_id);
    let read = last
        .as_ref()
        .and_then(|last| Some((last, last.read.as_ref()?)));
    let shown = match read {
        None => source::upload_page(node, deadline, short_id).await.into(),
        Some((last, (upload, head))) => match source::head(node, deadline, upload.id).await {
            Ok(now) if now == *head => return Arc::clone(last),
            Ok(_) => source::with_messages(node, deadline, upload.clone())
                .await
                .into(),
            Err(error) => Err(error).into(),
        },
    };
    show(node, environment, shown).await
}

fn permanently(id: &str) -> Response {
    Redirect::permanent(&format!("/u/{id}")).into_response()
}

/// What a page is told of its surroundings.
pub fn environment(node: &Node, arrival: &Arrival) -> PageEnvironment {
    let public = node.config.public_url.as_ref();
    let origin = public
        .map(|url| url.as_str().to_owned())
        .or_else(|| arrival.origin())
        .unwrap_or_else(|| format!("http://{}", node.config.address()));
    PageEnvironment {
        origin,
        assets: node.site.assets.clone(),
        max_upload_bytes: node.config.limits.upload_bytes,
    }
}
