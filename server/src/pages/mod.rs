//! The server-rendered pages: everything they need comes from here, nothing of storage is known to them.

mod security;
mod source;

use std::sync::Arc;

use app::model::UploadRef;
use app::source::{PageEnvironment, SharedPageSource};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, Method, StatusCode, header};
use leptos::prelude::provide_context;

use crate::address::Arrival;
use crate::deadline::Deadline;
use crate::problem::{self, ApiError};
use crate::state::{AppState, Node};
use source::NodeSource;

/// `GET /`, and any page that the app itself knows best.
pub async fn show(State(node): State<AppState>, arrival: Arrival, request: Request) -> Response {
    let environment = environment(&node, &arrival);
    let source: SharedPageSource = Arc::new(NodeSource(node));
    let context = {
        let environment = environment.clone();
        move || {
            provide_context(environment.clone());
            provide_context(Arc::clone(&source));
            security::set_headers();
        }
    };
    let shell = move || app::shell(environment.clone());
    let page = leptos_axum::render_app_async_with_context(context, shell)(request).await;
    with_retry_after(page)
}

/// A page that says that a backend is away says when to try again too.
fn with_retry_after(mut page: Response) -> Response {
    if page.status() == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = HeaderValue::from(problem::RETRY_AFTER.as_secs());
        page.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    page
}

/// `GET /u/{id}`. The long form of an id leads to the short one, so that a page has one address.
///
/// # Errors
/// When the store is away.
pub async fn show_upload(
    state: State<AppState>,
    Path(id): Path<String>,
    arrival: Arrival,
    request: Request,
) -> Result<Response, ApiError> {
    if let Ok(name @ UploadRef::Id(_)) = id.parse() {
        let upload = state.backends.store.upload(name);
        match Deadline::start().wait("store", upload).await {
            Ok(upload) => return Ok(permanently(&upload.short_id.to_string())),
            // The app's own page says it better.
            Err(ApiError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(show(state, arrival, request).await)
}

/// `GET /u/{id}/`: the page without the slash.
pub async fn without_slash(
    state: State<AppState>,
    Path(id): Path<String>,
    arrival: Arrival,
    request: Request,
) -> Response {
    match id.parse::<UploadRef>() {
        Ok(id) => permanently(&id.to_string()),
        Err(_) => show(state, arrival, request).await,
    }
}

/// What is not there: a problem for programs, a page for everyone else.
pub async fn not_found(state: State<AppState>, arrival: Arrival, request: Request) -> Response {
    let path = request.uri().path();
    let is_page = !path.starts_with("/api/") && !path.starts_with("/assets/");
    match *request.method() {
        Method::GET | Method::HEAD if is_page => show(state, arrival, request).await,
        _ => ApiError::NotFound.into_response(),
    }
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

/// Lets pages wait for their data on the runtime that calls this; once per process is enough, and more do no harm.
pub fn prepare() {
    // It fails when it was done before.
    drop(any_spawner::Executor::init_tokio());
}
