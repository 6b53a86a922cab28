//! Reporting an upload to whoever runs the service.

use std::sync::Arc;

use app::model::{Report, ReportReason, UploadId};
use axum::extract::{Request, State};
use http::StatusCode;
use serde_json::Value;
use tracing::info;

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

/// `POST /api/uploads/{id}/reports`.
pub async fn create(
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
    let mut given = json_object(&body)?;
    let reason = field("reason", given.remove("reason").unwrap_or(Value::Null))?;
    let deadline = Deadline::start();
    let id = path.id(store.as_ref(), deadline).await?;
    add(moderation.as_ref(), deadline, info.client, (id, reason)).await?;
    Ok(StatusCode::ACCEPTED)
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
