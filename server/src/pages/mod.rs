//! The server-rendered pages: what they show is read here, and rendered by `app`, which knows nothing of storage.

mod security;
mod source;

use app::model::UploadRef;
use app::source::{PageEnvironment, Shown};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, Method, StatusCode, header};

use crate::address::Arrival;
use crate::deadline::Deadline;
use crate::problem::{self, ApiError};
use crate::routes::Named;
use crate::state::{AppState, Node};

pub use self::security::protect;

/// `GET /`.
pub async fn show_home(
    State(node): State<AppState>,
    arrival: Arrival,
    request: Request,
) -> Response {
    page(&node, &arrival, Shown::Home, request).await
}

/// `GET /u/{id}`. The long form of an id leads to the short one, so that a page has one address.
///
/// # Errors
/// When the store is away while it is asked for the short form.
pub async fn show_upload(
    State(node): State<AppState>,
    named: Result<Named, ApiError>,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    let shown = match named {
        Ok(Named(name @ UploadRef::Id(_))) => {
            let upload = node.backends.store.upload(name);
            match Deadline::start().wait("store", upload).await {
                Ok(upload) => return Ok(permanently(&upload.short_id.to_string())),
                Err(ApiError::NotFound) => Shown::NotFound,
                Err(error) => return Err(error),
            }
        }
        Ok(Named(UploadRef::Short(short_id))) => source::upload_page(&node, short_id).await.into(),
        Err(_) => Shown::NotFound,
    };
    Ok(page(&node, &arrival, shown, request).await)
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
        Err(_) => page(&node, &arrival, Shown::NotFound, request).await,
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
            page(&node, &arrival, Shown::NotFound, request).await
        }
        _ => ApiError::NotFound.into_response(),
    }
}

/// Renders the page; nothing in it waits, since what it shows is there.
async fn page(node: &Node, arrival: &Arrival, shown: Shown, request: Request) -> Response {
    let status = StatusCode::from_u16(shown.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let environment = environment(node, arrival);
    let document = move || app::document(environment.clone(), shown.clone());
    let pictures_from = node.backends.blobs.serves_from().map(str::to_owned);
    let set_policy = move || security::set_policy(pictures_from.as_deref());
    let render = leptos_axum::render_app_async_with_context(set_policy, document);
    let mut response = render(request).await;
    security::protect(response.headers_mut());
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = HeaderValue::from(problem::RETRY_AFTER.as_secs());
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// Lets Leptos render on the runtime that calls this; once per process is enough, and more do no harm.
pub fn prepare() {
    // It fails when it was done before.
    drop(any_spawner::Executor::init_tokio());
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
