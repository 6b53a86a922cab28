//! What whoever runs the service may do with all uploads: the API, and the same as pages without scripts.

mod actions;
pub(super) mod api;
mod pages;
mod session;

use axum::Router;

use crate::http::state::AppState;

/// The routes, which exist only if there is a token.
pub fn routes() -> Router<AppState> {
    Router::new().merge(api::routes()).merge(pages::routes())
}
