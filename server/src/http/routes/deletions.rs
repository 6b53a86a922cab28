//! Deleting messages and uploads.

use std::sync::Arc;

use app::model::{MessageId, Seq, UploadRef};
use axum::extract::{Path, Query, State};
use http::StatusCode;

use super::api_description::problems::{Any, OfUpload, OnWrite, OutOfBounds};
use super::messages::MAX_SEQ;
use crate::admission::rate_limit::RateLimits;
use crate::http::deadline::Deadline;
use crate::http::error::ApiError;
use crate::http::extract::author::Author;
use crate::http::extract::origin::SameOriginOrAllowed;
use crate::http::extract::request_info::RequestInfo;
use crate::http::extract::upload_path::UploadPath;
use crate::hub::deleting::Deleter;
use crate::store::{MessageRef, SecretHash, Store};

/// The parameters of a query, in their order.
pub(super) type Parameters = Vec<(String, String)>;

/// `DELETE /api/uploads/{id}/messages/{seq}`, optionally with `?id=`, the message's id.
#[utoipa::path(
    delete,
    path = "/api/uploads/{id}/messages/{seq}",
    operation_id = "deleteMessage",
    summary = "Delete a message",
    description = "With the secret of its author, or of the upload's owner.",
    params(
        ("id" = UploadRef, Path, description = "The upload, by either form of its id"),
        ("seq" = u64, Path, minimum = 1, maximum = 9_007_199_254_740_991_u64, description = "The message's number"),
        ("id" = Option<MessageId>, Query, description = "The message's id: another message with that number is kept"),
    ),
    responses((status = 204, description = "It is deleted"), Any, OfUpload, OnWrite, OutOfBounds),
    security((), ("secret" = [])),
)]
pub async fn delete_message(
    (_, Author(secret)): (SameOriginOrAllowed, Author),
    State(rate_limits): State<Arc<RateLimits>>,
    State(store): State<Arc<dyn Store>>,
    State(deleter): State<Deleter>,
    info: RequestInfo,
    path: UploadPath,
    (Path((_, seq)), Query(query)): (Path<(String, String)>, Query<Parameters>),
) -> Result<StatusCode, ApiError> {
    rate_limits
        .messages
        .take(info.client.rate_limit_key())
        .await?;
    let deadline = Deadline::start();
    let id = path.id(store.as_ref(), deadline).await?;
    let message = message_ref(&seq, &query)?;
    let by = secret.map(|secret| SecretHash::new(id, &secret));
    let deletion = deleter.delete_message(id, message, by.into());
    match deadline.wait("store", deletion).await {
        // A short id was found, and a long one cannot be guessed.
        Err(ApiError::NotFound) => Err(ApiError::NotInUpload),
        answer => answer.map(|()| StatusCode::NO_CONTENT),
    }
}

/// Parses the message that a path's number and a query's `id` name. Unknown parameters are ignored.
pub(super) fn message_ref(seq: &str, query: &Parameters) -> Result<MessageRef, ApiError> {
    let seq = seq.parse().ok().filter(|seq| (1..=MAX_SEQ).contains(seq));
    let seq = seq.map(Seq::new).ok_or(ApiError::NotInUpload)?;
    let mut ids = query.iter().filter(|(name, _)| name == "id");
    let Some((_, id)) = ids.next() else {
        return Ok(MessageRef { seq, id: None });
    };
    if ids.next().is_some() {
        return Err(ApiError::field("id", "id is given once"));
    }
    let id = id
        .parse()
        .map_err(|_| ApiError::field("id", "the id of a message"))?;
    Ok(MessageRef { seq, id: Some(id) })
}

/// `DELETE /api/uploads/{id}`.
#[utoipa::path(
    delete,
    path = "/api/uploads/{id}",
    operation_id = "deleteUpload",
    summary = "Delete an upload",
    description = "With the secret of its owner.",
    params(("id" = UploadRef, Path, description = "The upload, by either form of its id")),
    responses((status = 204, description = "It is deleted"), Any, OfUpload, OnWrite),
    security((), ("secret" = [])),
)]
pub async fn delete_upload(
    (_, Author(secret)): (SameOriginOrAllowed, Author),
    State(rate_limits): State<Arc<RateLimits>>,
    State(store): State<Arc<dyn Store>>,
    State(deleter): State<Deleter>,
    info: RequestInfo,
    path: UploadPath,
) -> Result<StatusCode, ApiError> {
    let address = info.client.rate_limit_key();
    rate_limits.messages.take(address).await?;
    let deadline = Deadline::start();
    let id = path.id(store.as_ref(), deadline).await?;
    let by = secret.map(|secret| SecretHash::new(id, &secret));
    deadline
        .wait("store", deleter.delete_upload(id, by.into()))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
