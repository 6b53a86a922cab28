//! `/admin`: pages for people who sign in with the token. They work without scripts.

use std::sync::Arc;

use app::model::UploadsPage;
use app::{AdminPage, RejectedField, StorageUse};
use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::actions::Actions;
use super::api::{before, parse_address, parse_seconds, switch, value};
use super::session::{self, Session};
use crate::admission::rate_limit::RateLimits;
use crate::admission::storage_quota::StorageQuota;
use crate::config::Config;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::admin::check_token;
use crate::http::extract::origin::SameOrigin;
use crate::http::extract::upload_path::UploadPath;
use crate::http::pages::PlainPages;
use crate::http::routes::deletions::{Parameters, message_ref};
use crate::http::routes::message_form::read_form;
use crate::http::routes::messages::parse_seq;
use crate::http::state::AppState;
use crate::store::{Select, Store, UploadFilter};

/// How many entries of a conversation are shown at once.
const LOG_PAGE_SIZE: usize = 200;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/admin", get(list))
        .route("/admin/sign-in", get(show_sign_in).post(sign_in))
        .route("/admin/sign-out", post(sign_out))
        .route("/admin/uploads/{id}", get(show_upload))
        .route("/admin/uploads/{id}/dismiss", post(dismiss_reports))
        .route("/admin/uploads/{id}/remove", post(delete_upload))
        .route(
            "/admin/uploads/{id}/messages/{seq}/remove",
            post(delete_message),
        )
        .route("/admin/addresses", get(show_addresses))
        .route("/admin/addresses/block", post(block_address))
        .route("/admin/addresses/unblock", post(unblock_address))
}

fn respond(pages: &PlainPages, status: StatusCode, page: AdminPage) -> Result<Response, ApiError> {
    pages.respond(status, |assets, settings, language| {
        app::admin_page(assets, settings, language, page)
    })
}

async fn show_sign_in(pages: PlainPages) -> Result<Response, ApiError> {
    respond(
        &pages,
        StatusCode::OK,
        AdminPage::SignIn { is_wrong: false },
    )
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

async fn sign_in(
    _: SameOrigin,
    State(config): State<Arc<Config>>,
    State(rate_limits): State<Arc<RateLimits>>,
    pages: PlainPages,
    request: Request,
) -> Result<Response, ApiError> {
    let Token { token: given } = read_form(request).await?;
    match check_token(&config, &rate_limits, pages.info.client, given.trim()) {
        Ok(token) => {
            tracing::info!(client = %pages.info.client.ip(), "an admin has signed in");
            let cookies = session::begin(token, &pages.info);
            Ok((cookies, Redirect::to("/admin")).into_response())
        }
        Err(ApiError::NotAdmin) => {
            let page = AdminPage::SignIn { is_wrong: true };
            respond(&pages, StatusCode::FORBIDDEN, page)
        }
        Err(error) => Err(error),
    }
}

async fn sign_out(
    _: SameOrigin,
    _: Session,
    State(config): State<Arc<Config>>,
    request: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let token = config.admin_token.as_ref().ok_or(ApiError::NotFound)?;
    let cookies = session::end(token, &request);
    Ok((cookies, Redirect::to("/admin/sign-in")))
}

/// `GET /admin`: the uploads that were reported, or with `?all=1` all of them.
async fn list(
    Session { client }: Session,
    (State(actions), State(quota)): (State<Actions>, State<StorageQuota>),
    pages: PlainPages,
    Query(query): Query<Parameters>,
) -> Result<Response, ApiError> {
    let is_reported = !switch(&query, "all")?;
    let filter = if is_reported {
        UploadFilter::Reported
    } else {
        UploadFilter::All
    };
    let UploadsPage { uploads, next } = actions.list(client, filter, before(&query)?).await?;
    let page = AdminPage::Uploads {
        is_reported,
        uploads,
        next,
        storage: StorageUse {
            stored: quota.stored(),
            left: quota.left(),
        },
    };
    respond(&pages, StatusCode::OK, page)
}

/// `GET /admin/uploads/{id}`: the newest messages, or with `?before=SEQ` earlier ones.
async fn show_upload(
    _: Session,
    State(actions): State<Actions>,
    State(store): State<Arc<dyn Store>>,
    pages: PlainPages,
    UploadPath(name): UploadPath,
    Query(query): Query<Parameters>,
) -> Result<Response, ApiError> {
    let select = match value(&query, "before") {
        Some(seq) => Select::Before(parse_seq("before", seq)?),
        None => Select::Newest,
    };
    let upload = Box::new(actions.find(name).await?);
    let log = store.entries(upload.upload.id, select, LOG_PAGE_SIZE);
    let log = Deadline::start().wait("store", log).await?;
    respond(&pages, StatusCode::OK, AdminPage::Upload { upload, log })
}

async fn dismiss_reports(
    _: SameOrigin,
    Session { client }: Session,
    State(actions): State<Actions>,
    State(store): State<Arc<dyn Store>>,
    path: UploadPath,
) -> Result<Redirect, ApiError> {
    let id = path.id(store.as_ref(), Deadline::start()).await?;
    actions.dismiss_reports(client, id).await?;
    Ok(Redirect::to("/admin"))
}

/// The form's field is there if the button that also blocks was pressed.
#[derive(Deserialize)]
struct Removal {
    block: Option<String>,
}

async fn delete_upload(
    _: SameOrigin,
    Session { client }: Session,
    State(actions): State<Actions>,
    UploadPath(name): UploadPath,
    request: Request,
) -> Result<Redirect, ApiError> {
    let Removal { block } = read_form(request).await?;
    actions.delete_upload(client, name, block.is_some()).await?;
    Ok(Redirect::to("/admin"))
}

async fn delete_message(
    _: SameOrigin,
    Session { client }: Session,
    State(actions): State<Actions>,
    State(store): State<Arc<dyn Store>>,
    UploadPath(name): UploadPath,
    (Path((_, seq)), Query(query)): (Path<(String, String)>, Query<Parameters>),
) -> Result<Redirect, ApiError> {
    let message = message_ref(&seq, &query)?;
    let upload = Deadline::start().wait("store", store.upload(name)).await?;
    actions.delete_message(client, upload.id, message).await?;
    let address = format!("/admin/uploads/{}", upload.short_id);
    Ok(Redirect::to(&address))
}

async fn show_addresses(
    _: Session,
    State(actions): State<Actions>,
    pages: PlainPages,
) -> Result<Response, ApiError> {
    let page = AdminPage::Addresses {
        blocked: actions.blocked_addresses().await?,
        refused: None,
    };
    respond(&pages, StatusCode::OK, page)
}

#[derive(Deserialize)]
struct Block {
    address: String,
    seconds: String,
}

async fn block_address(
    _: SameOrigin,
    Session { client }: Session,
    State(actions): State<Actions>,
    pages: PlainPages,
    request: Request,
) -> Result<Response, ApiError> {
    let form: Block = read_form(request).await?;
    let blocking = async {
        let seconds = parse_seconds(&form.seconds)?;
        let address = parse_address(&form.address)?;
        actions.block_address(client, address, Some(seconds)).await
    };
    match blocking.await {
        Ok(()) => Ok(Redirect::to("/admin/addresses").into_response()),
        Err(error @ ApiError::BadField { .. }) => {
            let page = AdminPage::Addresses {
                blocked: actions.blocked_addresses().await?,
                refused: Some(RejectedField {
                    written: form.address,
                    reason: error.to_problem(pages.language).detail,
                }),
            };
            respond(&pages, error.status(), page)
        }
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct Unblock {
    address: String,
}

async fn unblock_address(
    _: SameOrigin,
    Session { client }: Session,
    State(actions): State<Actions>,
    request: Request,
) -> Result<Redirect, ApiError> {
    let form: Unblock = read_form(request).await?;
    let address = parse_address(&form.address)?;
    actions.block_address(client, address, None).await?;
    Ok(Redirect::to("/admin/addresses"))
}
