//! Deleting messages and uploads.

use std::sync::Arc;

use app::model::{MessageId, Seq};
use axum::extract::{Path, Query, State};
use http::StatusCode;

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
type Parameters = Vec<(String, String)>;

/// `DELETE /api/uploads/{id}/messages/{seq}`, optionally with `?id=`, the message's id.
pub async fn delete_message(
    (_, Author(secret)): (SameOriginOrAllowed, Author),
    State(rate_limits): State<Arc<RateLimits>>,
    State(store): State<Arc<dyn Store>>,
    State(deleter): State<Deleter>,
    info: RequestInfo,
    path: UploadPath,
    (Path((_, seq)), Query(query)): (Path<(String, String)>, Query<Parameters>),
) -> Result<StatusCode, ApiError> {
    rate_limits.messages.take(info.client.counted())?;
    let seq = seq.parse().ok().filter(|seq| (1..=MAX_SEQ).contains(seq));
    let seq = seq.map(Seq::new).ok_or(ApiError::NotFound)?;
    let message = MessageRef {
        seq,
        id: message_id(&query)?,
    };
    let deadline = Deadline::start();
    let id = path.id(store.as_ref(), deadline).await?;
    let by = secret.map(|secret| SecretHash::new(id, &secret));
    let deletion = deleter.delete_message(id, message, by.into());
    deadline.wait("store", deletion).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unknown parameters are ignored.
fn message_id(query: &[(String, String)]) -> Result<Option<MessageId>, ApiError> {
    let mut ids = query.iter().filter(|(name, _)| name == "id");
    let Some((_, id)) = ids.next() else {
        return Ok(None);
    };
    if ids.next().is_some() {
        return Err(ApiError::field("id", "id is given once"));
    }
    let id = id
        .parse()
        .map_err(|_| ApiError::field("id", "the id of a message"))?;
    Ok(Some(id))
}

/// `DELETE /api/uploads/{id}`.
pub async fn delete_upload(
    (_, Author(secret)): (SameOriginOrAllowed, Author),
    State(rate_limits): State<Arc<RateLimits>>,
    State(store): State<Arc<dyn Store>>,
    State(deleter): State<Deleter>,
    info: RequestInfo,
    path: UploadPath,
) -> Result<StatusCode, ApiError> {
    rate_limits.messages.take(info.client.counted())?;
    let deadline = Deadline::start();
    let id = path.id(store.as_ref(), deadline).await?;
    let by = secret.map(|secret| SecretHash::new(id, &secret));
    deadline
        .wait("store", deleter.delete_upload(id, by.into()))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
