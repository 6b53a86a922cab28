//! The server-rendered pages: what they show is read here, and rendered by `app`, which knows nothing of storage.

mod kept;
mod rendered;
mod security;
mod source;

use std::net::IpAddr;
use std::sync::Arc;

use app::model::{ShortId, UploadRef};
use app::source::{PageEnvironment, Shown};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, Method};

use self::rendered::Page;
use crate::address::Arrival;
use crate::budget::NoRoom;
use crate::deadline::Deadline;
use crate::problem::ApiError;
use crate::routes::Named;
use crate::state::{AppState, Node};

pub use self::kept::Pages;
pub use self::security::protect;

/// `GET /`.
///
/// # Errors
/// When there is no room for another answer.
pub async fn show_home(
    State(node): State<AppState>,
    arrival: Arrival,
    request: HeaderMap,
) -> Result<Response, ApiError> {
    page(&node, &arrival, Shown::Home, &request).await
}

/// `GET /u/{id}`. The long form of an id leads to the short one, so that a page has one address.
///
/// # Errors
/// When the store is away while it is asked for the short form, or there is no room for another answer.
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
        Ok(Named(UploadRef::Short(short_id))) => {
            upload_page(&node, environment, short_id, arrival.client.counted()).await?
        }
        Err(_) => show(&node, environment, Shown::NotFound).await,
    };
    Ok(page.respond(&request, &node.answers, arrival.client.counted())?)
}

/// `GET /u/{id}/`: the page without the slash.
///
/// # Errors
/// When there is no room for another answer.
pub async fn without_slash(
    State(node): State<AppState>,
    named: Result<Named, ApiError>,
    arrival: Arrival,
    request: HeaderMap,
) -> Result<Response, ApiError> {
    match named {
        Ok(Named(id)) => Ok(permanently(&id.to_string())),
        Err(_) => page(&node, &arrival, Shown::NotFound, &request).await,
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
            page(&node, &arrival, Shown::NotFound, request.headers()).await
        }
        _ => Err(ApiError::NotFound),
    }
}

async fn page(
    node: &Node,
    arrival: &Arrival,
    shown: Shown,
    request: &HeaderMap,
) -> Result<Response, ApiError> {
    let page = show(node, environment(node, arrival), shown).await;
    Ok(page.respond(request, &node.answers, arrival.client.counted())?)
}

async fn show(node: &Node, environment: PageEnvironment, shown: Shown) -> Arc<Page> {
    let pictures_from = node.backends.blobs.serves_from();
    node.pages.show(environment, shown, pictures_from).await
}

/// The page of an upload: as it was rendered last, if nothing was said since. Of those who ask for another one at the
/// same time one takes room for what is read and rendered.
async fn upload_page(
    node: &Node,
    environment: PageEnvironment,
    short_id: ShortId,
    address: IpAddr,
) -> Result<Arc<Page>, NoRoom> {
    let deadline = Deadline::start();
    let last = node.pages.last(&environment.origin, short_id);
    let known = last.as_ref().and_then(|last| last.read.as_ref());
    if let (Some(last), Some((upload, head))) = (&last, known) {
        match source::head(node, deadline, upload.id).await {
            Ok(now) if now == *head => return Ok(Arc::clone(last)),
            Ok(_) => {}
            Err(error) => return Ok(show(node, environment, Err(error).into()).await),
        }
    }
    let upload = known.map(|(upload, _)| upload);
    let name = (environment.origin.clone(), short_id);
    let room = || node.answers.take(address, source::MAX_BYTES);
    let make = async |_room| {
        let shown = match upload {
            None => source::upload_page(node, deadline, short_id).await,
            Some(upload) => source::with_messages(node, deadline, upload.clone()).await,
        };
        Ok(show(node, environment.clone(), shown.into()).await)
    };
    node.pages.making().join_with(name, room, make).await
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
        .unwrap_or_else(|| format!("http://{}", node.config.bind));
    PageEnvironment {
        origin,
        assets: node.site.assets.clone(),
        max_upload_bytes: node.config.limits.upload_bytes,
    }
}
