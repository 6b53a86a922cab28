//! `/u/{id}/report`: the form to report an upload, a page without scripts.

use std::sync::Arc;

use app::model::ReportReason;
use app::{RejectedField, ReportForm};
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;

use super::deletions::Parameters;
use super::message_form::read_form;
use super::reports;
use crate::admission::rate_limit::RateLimits;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::origin::SameOrigin;
use crate::http::extract::upload_path::UploadPath;
use crate::http::pages::PlainPages;
use crate::store::{Moderation, Store};

/// The fields of the form.
#[derive(Debug, Deserialize)]
pub struct Fields {
    /// The reason as it was written. May be missing.
    #[serde(default)]
    pub reason: String,
}

impl Fields {
    /// The reason.
    ///
    /// # Errors
    /// [`ApiError::BadField`].
    pub fn reason(&self) -> Result<ReportReason, ApiError> {
        let reason = self.reason.parse();
        reason.map_err(|error| ApiError::field("reason", error))
    }
}

fn respond(pages: &PlainPages, status: StatusCode, form: ReportForm) -> Result<Response, ApiError> {
    pages.respond(status, |assets, settings, language| {
        app::report_page(assets, settings, language, form)
    })
}

/// `GET /u/{id}/report`, with `?sent` after a report.
pub(super) async fn show(
    State(store): State<Arc<dyn Store>>,
    pages: PlainPages,
    UploadPath(name): UploadPath,
    Query(query): Query<Parameters>,
) -> Result<Response, ApiError> {
    let upload = Deadline::start().wait("store", store.upload(name)).await?;
    let form = ReportForm {
        picture: upload.short_id,
        refused: None,
        is_sent: query.iter().any(|(name, _)| name == "sent"),
    };
    respond(&pages, StatusCode::OK, form)
}

/// `POST /u/{id}/report` (`application/x-www-form-urlencoded`). A refusal keeps what was written.
pub(super) async fn create(
    _: SameOrigin,
    State(rate_limits): State<Arc<RateLimits>>,
    State(store): State<Arc<dyn Store>>,
    State(moderation): State<Arc<dyn Moderation>>,
    pages: PlainPages,
    UploadPath(name): UploadPath,
    request: Request,
) -> Result<Response, ApiError> {
    let client = pages.info.client;
    let limited = rate_limits.messages.take(client.rate_limit_key()).await;
    let fields: Fields = read_form(request).await?;
    let deadline = Deadline::start();
    let upload = deadline.wait("store", store.upload(name)).await?;
    let report = async {
        limited?;
        let reason = fields.reason()?;
        reports::add(moderation.as_ref(), deadline, client, (upload.id, reason)).await
    };
    let Err(error) = report.await else {
        let address = format!("/u/{}/report?sent", upload.short_id);
        return Ok(Redirect::to(&address).into_response());
    };
    let form = ReportForm {
        picture: upload.short_id,
        refused: Some(RejectedField {
            written: fields.reason,
            reason: error.to_problem(pages.language).detail,
        }),
        is_sent: false,
    };
    respond(&pages, error.status(), form)
}
