//! Reporting an upload to whoever runs the service.

use std::sync::Arc;

use app::model::{Report, ReportReason, UploadId, UploadRef};
use axum::extract::{Request, State};
use http::StatusCode;
use serde_json::Value;
use tracing::info;
use utoipa::ToSchema;

use super::api_description::problems::{Any, OfUpload, OnWrite, WithBody};
use super::messages::{field, is_json, json_object, read_post};
use crate::admission::rate_limit::RateLimits;
use crate::clock;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::author::Author;
use crate::http::extract::origin::SameOriginOrAllowed;
use crate::http::extract::request_info::{ClientAddress, RequestInfo};
use crate::http::extract::upload_path::UploadPath;
use crate::store::{Moderation, Store};

/// A report to be sent.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "the handler reads the field by itself, to name it in errors"
)]
struct NewReport {
    /// Why whoever runs the service should look at the upload.
    reason: ReportReason,
}

/// `POST /api/uploads/{id}/reports`.
#[utoipa::path(
    post,
    path = "/api/uploads/{id}/reports",
    operation_id = "reportUpload",
    summary = "Report an upload to whoever runs the service",
    params(("id" = UploadRef, Path, description = "The upload, by either form of its id")),
    request_body = NewReport,
    responses((status = 202, description = "It can be read"), Any, OfUpload, OnWrite, WithBody),
    security((), ("secret" = [])),
)]
pub(super) async fn create(
    (_, Author(_)): (SameOriginOrAllowed, Author),
    State(rate_limits): State<Arc<RateLimits>>,
    State(store): State<Arc<dyn Store>>,
    State(moderation): State<Arc<dyn Moderation>>,
    info: RequestInfo,
    path: UploadPath,
    request: Request,
) -> Result<StatusCode, ApiError> {
    rate_limits
        .messages
        .take(info.client.rate_limit_key())
        .await?;
    let expected = "A report is posted as application/json.";
    let body = read_post(request, is_json, expected).await?;
    let reason = parse_report(&body)?;
    let deadline = Deadline::start();
    let id = path.id(store.as_ref(), deadline).await?;
    add(moderation.as_ref(), deadline, info.client, (id, reason)).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Parses the body of `POST /api/uploads/{id}/reports`.
///
/// # Errors
/// [`ApiError::Malformed`] and [`ApiError::BadField`].
pub fn parse_report(body: &[u8]) -> Result<ReportReason, ApiError> {
    let mut given = json_object(body)?;
    field("reason", given.remove("reason").unwrap_or(Value::Null))
}

/// Stores a report of a client.
pub(super) async fn add(
    moderation: &dyn Moderation,
    deadline: Deadline,
    client: ClientAddress,
    (upload, reason): (UploadId, ReportReason),
) -> Result<(), ApiError> {
    let report = Report {
        reason,
        created_at: clock::now(),
    };
    deadline
        .wait("store", moderation.add_report(upload, report))
        .await?;
    info!(client = %client.ip(), "an upload was reported");
    Ok(())
}
